import { setTimeout } from 'node:timers/promises'
import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyError } from 'fastify'
import { catalogsOf, createHouses, fold } from './data.js'
import { createRandom } from './random.js'

/** What a demo marketplace can be told. */
export interface MarketplaceOptions {
  /** Default 0: any free port. */
  port?: number
  /** Default 127.0.0.1. */
  host?: string
  /** Milliseconds a request waits before it is answered, a quarter more or less; 0 for none. Default 80. */
  latencyMs?: number
  /** Milliseconds since the epoch: catalogs lie around its UTC day. Default `Date.now`. */
  now?: () => number
  /** How many sellers there are: the first so many of the same list, at most 2,500. Default 1,240. */
  sellers?: number
}

/** A demo marketplace that listens. */
export interface Marketplace {
  /** Base URL, without a slash at its end. */
  url: string
  /** Stops at once: connections are cut, requests in flight too. */
  close(): Promise<void>
}

const paging = {
  page: Type.Integer({ minimum: 1, default: 1 }),
  page_size: Type.Integer({ minimum: 1, maximum: 500, default: 20 }),
}
const SellersQuery = Type.Object({
  ...paging,
  name: Type.String({ default: '' }),
  customer_display_id: Type.String({ default: '' }),
})
const CatalogsQuery = Type.Object({
  ...paging,
  seller_id: Type.String({ minLength: 1 }),
  title: Type.String({ default: '' }),
})

/**
 * Starts the bundled marketplace: an HTTP server with the same sellers and catalogs every time.
 *
 * `GET /sellers?page&page_size&name&customer_display_id` and `GET /catalogs?seller_id&page&page_size&title` answer
 * `{ items, page, page_size, total }`; a blank filter is none. Errors are `{ error }`. Rejects when it cannot listen.
 */
export async function startMarketplace(options: MarketplaceOptions = {}): Promise<Marketplace> {
  const { port = 0, host = '127.0.0.1', latencyMs = 80, now = Date.now, sellers: count = 1240 } = options
  const houses = createHouses(count)
  const sellers = houses.map(({ seller }) => seller)
  const houseById = new Map(houses.map((house) => [house.seller.id, house]))
  const app = Fastify({ logger: false, forceCloseConnections: true }).withTypeProvider<TypeBoxTypeProvider>()

  if (latencyMs > 0) {
    const jitter = createRandom(count)
    app.addHook('onRequest', async () => {
      const waitMs = (latencyMs * jitter.between(75, 125)) / 100
      // Not holding the process: a request that still waits at the close has lost its connection.
      await setTimeout(waitMs, undefined, { ref: false })
    })
  }

  app.get('/sellers', { schema: { querystring: SellersQuery } }, (request) => {
    const { name, customer_display_id, ...asked } = request.query
    const isNamed = contains(name)
    const displayId = customer_display_id.trim().toLowerCase()
    const found = sellers.filter(
      (seller) => isNamed(seller.name) && (displayId === '' || seller.customer_display_id?.toLowerCase() === displayId),
    )
    return pageOf(found, asked)
  })

  app.get('/catalogs', { schema: { querystring: CatalogsQuery } }, (request) => {
    const { seller_id, title, ...asked } = request.query
    const house = houseById.get(seller_id)
    if (house === undefined) return pageOf([], asked)

    const isTitled = contains(title)
    const found = catalogsOf(house, now()).filter((catalog) => isTitled(catalog.title))
    return pageOf(found, asked)
  })

  app.setNotFoundHandler((request, reply) => reply.code(404).send({ error: `no such resource: ${request.url}` }))
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

function pageOf<T>(found: readonly T[], { page, page_size }: { page: number; page_size: number }) {
  const start = (page - 1) * page_size
  return { items: found.slice(start, start + page_size), page, page_size, total: found.length }
}
