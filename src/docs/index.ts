import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { guide } from './guide.js'
import { transformOpenapi } from './transform-openapi.js'
import { uiRules, uiScript } from './ui-theme.js'

export interface DocsOptions {
  readonly version: string
}

/** Hash of the only style attribute in the page of Swagger UI, for its CSP. */
const uiStyle = "'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='"

/** OpenAPI 3.1 at `/docs/json`, Swagger UI at `/docs`. Register it before the routes. */
export default fp(docs, { name: 'docs', fastify: '5.x' })

async function docs(app: FastifyInstance, { version }: DocsOptions): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Vitrine',
        description: guide,
        version,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      tags: [
        { name: 'catalog', description: 'Sellers and their upcoming catalogs' },
        { name: 'operations', description: 'Health, metrics and cache purges' },
      ],
      components: {
        securitySchemes: {
          operator: { type: 'http', scheme: 'bearer', description: 'The value of `PURGE_TOKEN`.' },
        },
      },
    },
    transformObject: (document) =>
      transformOpenapi('openapiObject' in document ? document.openapiObject : document.swaggerObject),
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: { docExpansion: 'list', deepLinking: false },
    theme: {
      title: 'Vitrine API',
      css: [{ filename: 'vitrine.css', content: uiRules }],
      js: [{ filename: 'vitrine.js', content: uiScript }],
    },
    transformStaticCSP: (policy) => policy.replace("style-src 'self'", `style-src 'self' 'unsafe-hashes' ${uiStyle}`),
  })
}
