import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { LightMyRequestResponse } from 'fastify'
import { buildApp } from '../../src/app.js'
import { readConfig } from '../../src/config/environment.js'
import { startDemoMarketplace } from '../../src/demo/marketplace.js'
import type { Example, Examples, StatusExamples } from '../../src/docs/add-examples.js'
import { longAppTimeouts, longTimeoutEnvironment } from './app.js'
import { createClock } from './clock.js'

export interface RecordingOptions {
  /** `UPSTREAM_TIMEOUT_MS` for the requests that the marketplace does not answer. Each is tried three times. */
  readonly upstreamTimeoutMs: number
}

const requestId = 'mobile-7c1f'
const sellers = '/api/v1/sellers'
const catalogs = '/api/v1/sellers/etude-lefevre-saint-aubin-associes/catalogs'
const sellersUrl = `${sellers}?page=2&page_size=3`
const catalogsUrl = `${catalogs}?page=2&page_size=3`

/** Records responses of the application on a fixed date, with the demo marketplace as upstream, also while that fails. */
export async function recordExamples({ upstreamTimeoutMs }: RecordingOptions): Promise<Examples> {
  const clock = createClock('2026-03-10T12:00:00Z')
  const marketplace = await startDemoMarketplace({ latencyMs: 0, now: clock.now })
  const proxy = await startProxy(marketplace.url)
  const build = (environment: Record<string, string> = {}) =>
    buildApp({
      config: readConfig({ ...longTimeoutEnvironment, ...environment }),
      upstreamUrl: proxy.url,
      now: clock.now,
      timeouts: longAppTimeouts,
    })
  const app = await build()
  const shortTimeoutApp = await build({ UPSTREAM_TIMEOUT_MS: String(upstreamTimeoutMs) })
  const limited = await build()
  const ask = (url: string, headers: Record<string, string> = {}, target = app) =>
    target.inject({ url, headers: { 'x-request-id': requestId, ...headers } })
  const record = async (summary: string, url: string, target = app): Promise<Recorded> => {
    const response = await ask(url, {}, target)
    return { response, example: { summary, value: response.json() } }
  }
  const validate = (url: string, { response }: Recorded) => ask(url, { 'if-none-match': String(response.headers.etag) })
  const recordTooMany = async (): Promise<Recorded> => {
    const url = `${sellers}?page=0` // invalid requests count, too, and cause no upstream call
    while ((await ask(url, {}, limited)).statusCode !== 429);
    return record('The address has sent too many requests', url, limited)
  }

  try {
    for (const url of [sellersUrl, catalogsUrl]) await ask(url)
    clock.step(10) // so that the first responses have an age

    const sellersPage = await record('A page in the middle', sellersUrl)
    const sellersFiltered = await record('Sellers with "etude" in their name', `${sellers}?name=etude&page_size=2`)
    const sellersNone = await record('A filter without matches', `${sellers}?customer_display_id=unknown`)
    const catalogsPage = await record('A page in the middle', catalogsUrl)
    const catalogsFiltered = await record(
      'Catalogs with "collection" in their title',
      `${catalogs}?title=collection&page_size=2`,
    )
    const unknownSeller = await record('An unknown seller', `${sellers}/unknown/catalogs`)
    const sellersWrong = await record('Two invalid parameters', `${sellers}?page=0&page_size=500`)
    const catalogsWrong = await record('An invalid seller_id', `${sellers}/not.valid/catalogs`)
    const sellersSame = await validate(sellersUrl, sellersPage)
    const catalogsSame = await validate(catalogsUrl, catalogsPage)

    clock.step(400) // past freshness and the stale-while-revalidate window
    proxy.fault = 'error'
    const sellersStale = await record('A stale response while the marketplace fails', sellersUrl)
    const catalogsStale = await record('A stale response while the marketplace fails', catalogsUrl)
    const sellersUnusable = await record('The marketplace answers with an error', `${sellers}?name=etude`)
    const catalogsUnusable = await record('The marketplace answers with an error', `${catalogs}?title=collection`)
    proxy.fault = 'silence'
    const [sellersLate, catalogsLate] = await Promise.all([
      record('The marketplace does not answer', `${sellers}?name=etude`, shortTimeoutApp),
      record('The marketplace does not answer', `${catalogs}?title=collection`, shortTimeoutApp),
    ])
    await proxy.close()
    const sellersUnreachable = await record('The marketplace cannot be reached', `${sellers}?name=etude`)
    const catalogsUnreachable = await record('The marketplace cannot be reached', `${catalogs}?title=collection`)
    const tooMany = await recordTooMany()

    return {
      listSellers: {
        200: examplesOf({ page: sellersPage, filtered: sellersFiltered, none: sellersNone, stale: sellersStale }),
        304: examplesOf({}, sellersSame),
        400: examplesOf({ wrong: sellersWrong }),
        429: examplesOf({ tooMany }),
        502: examplesOf({ unusable: sellersUnusable }),
        503: examplesOf({ unreachable: sellersUnreachable }),
        504: examplesOf({ late: sellersLate }),
      },
      listCatalogs: {
        200: examplesOf({ page: catalogsPage, filtered: catalogsFiltered, unknownSeller, stale: catalogsStale }),
        304: examplesOf({}, catalogsSame),
        400: examplesOf({ wrong: catalogsWrong }),
        429: examplesOf({ tooMany }),
        502: examplesOf({ unusable: catalogsUnusable }),
        503: examplesOf({ unreachable: catalogsUnreachable }),
        504: examplesOf({ late: catalogsLate }),
      },
    }
  } finally {
    for (const each of [app, shortTimeoutApp, limited]) await each.close()
    await proxy.close()
    await marketplace.close()
  }
}

interface Recorded {
  readonly response: LightMyRequestResponse
  readonly example: Example
}

// x-ratelimit-remaining is left out, as it changes with each example.
const recordedFields = [
  'Link',
  'ETag',
  'Cache-Control',
  'Age',
  'Cache-Status',
  'Retry-After',
  'x-request-id',
  'x-ratelimit-limit',
]

/** Bodies by name, with the header fields of the first response by default. */
function examplesOf(
  recorded: Readonly<Record<string, Recorded>>,
  response = Object.values(recorded)[0]?.response,
): StatusExamples {
  const headers = recordedFields.flatMap((name) => {
    const value = response?.headers[name.toLowerCase()]
    return value === undefined ? [] : [[name, /^\d+$/.test(String(value)) ? Number(value) : String(value)] as const]
  })
  const bodies = Object.entries(recorded).map(([name, { example }]) => [name, example] as const)
  return { headers: Object.fromEntries(headers), bodies: Object.fromEntries(bodies) }
}

interface Proxy {
  readonly url: string
  fault: 'error' | 'silence' | undefined
  close(): Promise<void>
}

/** A proxy for the marketplace that can be set to fail. */
async function startProxy(target: string): Promise<Proxy> {
  const server = createServer(async (request, response) => {
    if (proxy.fault === 'silence') return
    if (proxy.fault === 'error') return void response.writeHead(500).end()
    const answer = await fetch(`${target}${request.url}`)
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a listening TCP server has an AddressInfo
  const proxy: Proxy = {
    url: `http://127.0.0.1:${port}`,
    fault: undefined,
    async close() {
      if (!server.listening) return
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  return proxy
}
