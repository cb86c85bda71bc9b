import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { described } from './described.js'
import { guide } from './guide.js'
import { uiRules, uiScript } from './ui-theme.js'

export interface DocsOptions {
  readonly version: string
}

/** The one style attribute that Swagger UI writes into its page, allowed by its hash. */
const uiStyle = "'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='"

/** OpenAPI 3.1 at `/docs/json` and a page to browse it at `/docs`; registered before the routes that it describes. */
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
        { name: 'catalog', description: 'Sellers and their coming catalogs' },
        { name: 'operations', description: 'Whether the service is alive and well, and how to purge what it keeps' },
      ],
      components: {
        securitySchemes: {
          operator: { type: 'http', scheme: 'bearer', description: '`PURGE_TOKEN` of the environment.' },
        },
      },
    },
    transformObject: (made) => described('openapiObject' in made ? made.openapiObject : made.swaggerObject),
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
