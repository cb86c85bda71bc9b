import { setTimeout } from 'node:timers/promises'
import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyError } from 'fastify'
import { catalogsOf, createHouses, fold } from './data.js'
import { createRandom } from './random.js'

export interface DemoMarketplaceOptions {
  /** Default 0: a free port. */
  port?: number
  /** Default 127.0.0.1. */
  host?: string
  /** Delay of responses, ±25 %; 0 for none. Default 80. */
  latencyMs?: number
  /** Milliseconds since the epoch. Catalogs are dated around its UTC day. Default `Date.now`. */
  now?: () => number
  /** Number of sellers, at most 2,500. Default 1,240. */
  sellers?: number
}

export interface DemoMarketplace {
  /** Base URL without a trailing slash. */
  url: string
  /** Closes all connections, including those with requests in flight. */
  close(): Promise<void>
}

const pagingProperties = {
  page: Type.Integer({ minimum: 1, default: 1 }),
  page_size: Type.Integer({ minimum: 1, maximum: 500, default: 20 }),
}
const sellersQuery = Type.Object({
  ...pagingProperties,
  name: Type.String({ default: '' }),
  customer_display_id: Type.String({ default: '' }),
})
const catalogsQuery = Type.Object({
  ...pagingProperties,
  seller_id: Type.String({ minLength: 1 }),
  title: Type.String({ default: '' }),
})

/**
 * Starts the bundled marketplace: an HTTP server with always the same sellers and catalogs.
 *
 * `GET /sellers?page&page_size&name&customer_display_id` and `GET /catalogs?seller_id&page&page_size&title` respond with
 * `{ items, page, page_size, total }`. Blank filters are ignored. Errors are `{ error }`. Rejects when it cannot listen.
 */
export async function startDemoMarketplace(options: DemoMarketplaceOptions = {}): Promise<DemoMarketplace> {
  const { port = 0, host = '127.0.0.1', latencyMs = 80, now = Date.now, sellers: count = 1240 } = options
  const houses = createHouses(count)
  const sellers = houses.map(({ seller }) => seller)
  const houseById = new Map(houses.map((house) => [house.seller.id, house]))
  const app = Fastify({ logger: false, forceCloseConnections: true }).withTypeProvider<TypeBoxTypeProvider>()

  if (latencyMs > 0) {
    const jitter = createRandom(count)
    app.addHook('onRequest', async () => {
      const waitMs = (latencyMs * jitter.between(75, 125)) / 100
      // Unreferenced: at close the connection of the request is gone.
      await setTimeout(waitMs, undefined, { ref: false })
    })
  }

  app.get('/sellers', { schema: { querystring: sellersQuery } }, (request) => {
    const { name, customer_display_id, ...paging } = request.query
    const matchesName = contains(name)
    const displayId = customer_display_id.trim().toLowerCase()
    const matches = sellers.filter(
      (seller) =>
        matchesName(seller.name) && (displayId === '' || seller.customer_display_id?.toLowerCase() === displayId),
    )
    return slicePage(matches, paging)
  })

  app.get('/catalogs', { schema: { querystring: catalogsQuery } }, (request) => {
    const { seller_id, title, ...paging } = request.query
    const house = houseById.get(seller_id)
    if (house === undefined) return slicePage([], paging)

    const matchesTitle = contains(title)
    const matches = catalogsOf(house, now()).filter((catalog) => matchesTitle(catalog.title))
    return slicePage(matches, paging)
  })

  app.setNotFoundHandler((request, reply) => reply.code(404).send({ error: `not found: ${request.url}` }))
  app.setErrorHandler<FastifyError>((error, _request, reply) =>
    reply.code(error.statusCode ?? 500).send({ error: error.message }),
  )

  const url = await app.listen({ port, host })
  return { url, close: async () => void (await app.close()) }
}

function contains(filter: string): (text: string) => boolean {
  const part = fold(filter.trim())
  return part === '' ? () => true : (text) => fold(text).includes(part)
}

function slicePage<T>(items: readonly T[], { page, page_size }: { page: number; page_size: number }) {
  const start = (page - 1) * page_size
  return { items: items.slice(start, start + page_size), page, page_size, total: items.length }
}
