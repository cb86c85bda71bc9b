import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

export interface DocsOptions {
  readonly version: string
}

/** OpenAPI 3.1 at `/docs/json` and a page to browse it at `/docs`; registered before the routes that it describes. */
export default fp(docs, { name: 'docs', fastify: '5.x' })

async function docs(app: FastifyInstance, { version }: DocsOptions): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Vitrine',
        description: 'Sellers of the marketplace and their coming catalogs, for mobile clients.',
        version,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      tags: [
        { name: 'catalog', description: 'Sellers and their coming catalogs' },
        { name: 'operations', description: 'Whether the service is alive and well' },
      ],
    },
  })
  await app.register(swaggerUi, { routePrefix: '/docs', uiConfig: { docExpansion: 'list', deepLinking: false } })
}
