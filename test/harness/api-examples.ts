import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { LightMyRequestResponse } from 'fastify'
import { buildApp } from '../../src/app.js'
import { readConfig } from '../../src/config/environment.js'
import { startMarketplace } from '../../src/demo/marketplace.js'
import type { Example, Examples, StatusExamples } from '../../src/docs/recorded.js'
import { longAppTimeouts, longTimeoutEnvironment } from './app.js'
import { createClock } from './clock.js'

export interface RecordingOptions {
  /** `UPSTREAM_TIMEOUT_MS` where the marketplace is silent, which is waited for three times over. */
  readonly upstreamTimeoutMs: number
}

const requestId = 'mobile-7c1f'
const sellers = '/api/v1/sellers'
const catalogs = '/api/v1/sellers/etude-lefevre-saint-aubin-associes/catalogs'
const middleOfSellers = `${sellers}?page=2&page_size=3`
const middleOfCatalogs = `${catalogs}?page=2&page_size=3`

/** Asks the application in front of its demo marketplace, as it was on one day in March, and makes the marketplace fail. */
export async function recordExamples({ upstreamTimeoutMs }: RecordingOptions): Promise<Examples> {
  const clock = createClock('2026-03-10T12:00:00Z')
  const marketplace = await startMarketplace({ latencyMs: 0, now: clock.now })
  const gate = await openGate(marketplace.url)
  const build = (environment: Record<string, string> = {}) =>
    buildApp({
      config: readConfig({ ...longTimeoutEnvironment, ...environment }),
      upstreamUrl: gate.url,
      now: clock.now,
      timeouts: longAppTimeouts,
    })
  const app = await build()
  const impatient = await build({ UPSTREAM_TIMEOUT_MS: String(upstreamTimeoutMs) })
  const limited = await build()
  const ask = (url: string, headers: Record<string, string> = {}, asked = app) =>
    asked.inject({ url, headers: { 'x-request-id': requestId, ...headers } })
  const record = async (summary: string, url: string, asked = app): Promise<Recorded> => {
    const response = await ask(url, {}, asked)
    return { response, example: { summary, value: response.json() } }
  }
  const validate = (url: string, { response }: Recorded) => ask(url, { 'if-none-match': String(response.headers.etag) })
  const recordTooMany = async (): Promise<Recorded> => {
    const url = `${sellers}?page=0` // what is refused counts as well, and asks nobody
    while ((await ask(url, {}, limited)).statusCode !== 429);
    return record('One request more than an address may send', url, limited)
  }

  try {
    for (const url of [middleOfSellers, middleOfCatalogs]) await ask(url)
    clock.step(10) // so that what is recorded first has an age

    const sellersPage = await record('A page in the middle', middleOfSellers)
    const sellersFiltered = await record('Those with "etude" in their name', `${sellers}?name=etude&page_size=2`)
    const sellersNone = await record('A filter that nothing matches', `${sellers}?customer_display_id=nobody`)
    const catalogsPage = await record('A page in the middle', middleOfCatalogs)
    const catalogsFiltered = await record(
      'Those with "collection" in their title',
      `${catalogs}?title=collection&page_size=2`,
    )
    const unknownSeller = await record('A seller that nobody knows', `${sellers}/nobody/catalogs`)
    const sellersWrong = await record('Two parameters that are wrong', `${sellers}?page=0&page_size=500`)
    const catalogsWrong = await record('A seller_id that cannot be one', `${sellers}/no.body/catalogs`)
    const sellersSame = await validate(middleOfSellers, sellersPage)
    const catalogsSame = await validate(middleOfCatalogs, catalogsPage)

    clock.step(400) // beyond freshness, and beyond the time in which one refreshes behind
    gate.fault = 'error'
    const sellersStale = await record('An older answer: the marketplace fails', middleOfSellers)
    const catalogsStale = await record('An older answer: the marketplace fails', middleOfCatalogs)
    const sellersUnusable = await record('The marketplace answers with an error', `${sellers}?name=etude`)
    const catalogsUnusable = await record('The marketplace answers with an error', `${catalogs}?title=collection`)
    gate.fault = 'silence'
    const [sellersLate, catalogsLate] = await Promise.all([
      record('The marketplace does not answer', `${sellers}?name=etude`, impatient),
      record('The marketplace does not answer', `${catalogs}?title=collection`, impatient),
    ])
    await gate.close()
    const sellersAway = await record('The marketplace cannot be reached', `${sellers}?name=etude`)
    const catalogsAway = await record('The marketplace cannot be reached', `${catalogs}?title=collection`)
    const tooMany = await recordTooMany()

    return {
      listSellers: {
        200: examplesOf({ page: sellersPage, filtered: sellersFiltered, none: sellersNone, stale: sellersStale }),
        304: examplesOf({}, sellersSame),
        400: examplesOf({ wrong: sellersWrong }),
        429: examplesOf({ tooMany }),
        502: examplesOf({ unusable: sellersUnusable }),
        503: examplesOf({ away: sellersAway }),
        504: examplesOf({ late: sellersLate }),
      },
      listCatalogs: {
        200: examplesOf({ page: catalogsPage, filtered: catalogsFiltered, unknownSeller, stale: catalogsStale }),
        304: examplesOf({}, catalogsSame),
        400: examplesOf({ wrong: catalogsWrong }),
        429: examplesOf({ tooMany }),
        502: examplesOf({ unusable: catalogsUnusable }),
        503: examplesOf({ away: catalogsAway }),
        504: examplesOf({ late: catalogsLate }),
      },
    }
  } finally {
    for (const each of [app, impatient, limited]) await each.close()
    await gate.close()
    await marketplace.close()
  }
}

interface Recorded {
  readonly response: LightMyRequestResponse
  readonly example: Example
}

// Not what is left of the limit: that is another number with each example that is added.
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

/** Bodies by name, with the header fields of the first unless others are given. */
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

interface Gate {
  readonly url: string
  fault: 'error' | 'silence' | undefined
  close(): Promise<void>
}

/** A server that passes everything on to the marketplace until it is told to fail. */
async function openGate(target: string): Promise<Gate> {
  const server = createServer(async (request, response) => {
    if (gate.fault === 'silence') return
    if (gate.fault === 'error') return void response.writeHead(500).end()
    const answer = await fetch(`${target}${request.url}`)
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a TCP server that listens has no other kind of address
  const gate: Gate = {
    url: `http://127.0.0.1:${port}`,
    fault: undefined,
    async close() {
      if (!server.listening) return
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  return gate
}
