import { type Answer, linesAt, type ReceivedRequest } from '../../../harness/scripted-origin.js'
import { until } from '../../../harness/until.js'
import type { CachesBeforeOrigin, ClientResponse } from './caches.js'
import { bodyOf, type Exchange, type Expectation, type FieldExpectation, type Row } from './row.js'

let paths = 0

/** Holds the conversation of a row, under a path of its own, and tells what was not as it should be. */
export async function play(row: Row, caches: CachesBeforeOrigin): Promise<string[]> {
  const { clock, origin } = caches
  paths += 1
  const prefix = `/${row.route ?? 'plain'}/${paths}`
  // At a full second, so that dates lose nothing; each exchange takes a millisecond.
  clock.set(Math.ceil(clock.now() / 1_000) * 1_000)
  const complaints: string[] = []
  for (const [index, exchange] of row.exchanges.entries()) {
    const complain = (complaint: string) => complaints.push(`exchange ${index + 1}: ${complaint}`)
    await playExchange({ row, index, exchange, prefix, caches, complain })
    clock.step(0.001)
  }
  origin.forget(prefix)
  return complaints
}

interface Playing {
  readonly row: Row
  readonly index: number
  readonly exchange: Exchange
  readonly prefix: string
  readonly caches: CachesBeforeOrigin
  complain(complaint: string): void
}

async function playExchange({ row, index, exchange, prefix, caches, complain }: Playing): Promise<void> {
  const { clock, origin } = caches
  const { method = 'GET', after = 0, expect = {} } = exchange
  clock.step(after)
  const now = clock.now()
  const before = origin.received(prefix).length
  origin.answer(prefix, answerOf(exchange, index))
  const { responses, reachedBy } = await converse(exchange, prefix, caches)
  await caches.settle()
  const reached = reachedBy()

  const wanted = wantedOf(row, index)
  for (const response of responses) compareResponse(response, wanted, complain)
  const lines = responses[0]?.lines ?? []
  if (expect.by === 'store') compareFields('response', { age: /^\d+$/ }, lines, now, complain)
  compareFields('response', expect.fields, lines, now, complain)
  compareReached(reached, expect, method, complain)
  compareFields('request to the origin', expect.sent, reached.at(-1)?.lines ?? [], now, complain)
  if (expect.refreshed) {
    const wasAsked = await until(() => origin.received(prefix).length === before + 1)
    if (!wasAsked) complain('the origin was not asked after the answer')
    await caches.settle()
  }
}

interface Conversation {
  readonly responses: readonly ClientResponse[]
  /** What has come of the requests to the origin so far. */
  readonly reachedBy: () => readonly ReceivedRequest[]
}

/** Sends the request of an exchange, as often as it says, and the one that comes meanwhile. */
async function converse(exchange: Exchange, prefix: string, caches: CachesBeforeOrigin): Promise<Conversation> {
  const { clock, origin } = caches
  const { method = 'GET', path = '', host = 'edge.test', fields = [], body, together = 1, meanwhile } = exchange
  const request = { method, host, path: prefix + path, lines: linesAt(fields, clock.now(), prefix), body }
  const before = origin.received(prefix).length
  const received = () => origin.received(prefix).slice(before)
  if (meanwhile === undefined) {
    const whenAllCame = together > 1 ? origin.hold(prefix).release : undefined
    const responses = await caches.send(request, { count: together, whenAllCame })
    return { responses, reachedBy: received }
  }
  const hold = origin.hold(prefix)
  const answered = caches.send(request)
  await until(() => received().length === 1)
  const reached = received()
  hold.stop()
  origin.answer(prefix, {})
  await caches.send({ ...request, method: meanwhile })
  hold.release()
  return { responses: await answered, reachedBy: () => reached }
}

function answerOf(exchange: Exchange, index: number): Answer {
  return { body: bodyOf(index + 1), ...exchange.origin }
}

interface Wanted {
  readonly status: number | 'broken' | undefined
  readonly body: string | RegExp | undefined
}

const withoutContent = new Set([204, 205, 304])

/** Status and body that the client is to have. */
function wantedOf({ exchanges }: Row, index: number): Wanted {
  const { method, expect = {} } = exchanges[index] ?? {}
  const { by = 'origin', of = 1 } = expect
  const source = by === 'origin' ? index : of - 1
  const answer = answerOf(exchanges[source] ?? {}, source)
  const status = expect.status ?? (by === 'nobody' ? undefined : (answer.status ?? 200))
  if (by === 'nobody') return { status, body: expect.body ?? /^(?!answer)/ }
  const isEmpty = method === 'HEAD' || (typeof status === 'number' && withoutContent.has(status))
  return { status, body: expect.body ?? (isEmpty ? '' : answer.body) }
}

function compareResponse(response: ClientResponse, wanted: Wanted, complain: Playing['complain']): void {
  const status = response.isWhole ? response.status : 'broken'
  if (wanted.status !== undefined && status !== wanted.status) complain(`status ${status}, not ${wanted.status}`)
  if (status === 'broken') return
  const { body } = wanted
  const isRight = body instanceof RegExp ? body.test(response.body) : body === undefined || body === response.body
  if (!isRight) complain(`body ${JSON.stringify(response.body)}, not ${body}`)
}

function compareReached(
  reached: readonly ReceivedRequest[],
  { by = 'origin', reached: count, sentMethod, refreshed }: Expectation,
  method: string,
  complain: Playing['complain'],
): void {
  const wanted = count ?? { origin: 1, validation: 1, store: 0, nobody: undefined }[by]
  // A refresh may reach the origin before or after this moment; that it does is checked elsewhere.
  const isRight = refreshed ? reached.length <= 1 : wanted === undefined || reached.length === wanted
  if (!isRight) complain(`${reached.length} requests reached the origin, not ${wanted}`)
  const last = reached.at(-1)
  if (last !== undefined && last.method !== (sentMethod ?? method)) complain(`the origin was asked with ${last.method}`)
  const isConditional = last?.field('if-none-match') !== undefined || last?.field('if-modified-since') !== undefined
  if (by === 'validation' && !isConditional) complain('the origin was asked without a condition')
}

function compareFields(
  where: string,
  wanted: Expectation['fields'],
  lines: readonly (readonly [name: string, value: string])[],
  now: number,
  complain: Playing['complain'],
): void {
  for (const [name, expected] of Object.entries(wanted ?? {})) {
    const values = lines.filter(([line]) => line.toLowerCase() === name).map(([, value]) => value)
    if (!isAsExpected(values, expected, now)) {
      complain(`${name} of the ${where} is ${JSON.stringify(values)}, not ${shown(expected, now)}`)
    }
  }
}

function isAsExpected(values: readonly string[], expected: FieldExpectation, now: number): boolean {
  if (expected === null) return values.length === 0
  if (expected instanceof RegExp) return values.length > 0 && expected.test(values.join(', '))
  if (typeof expected === 'object' && 'without' in expected) return !values.join(', ').includes(expected.without)
  if (typeof expected === 'function') return values.join(', ') === expected(now, '')
  if (typeof expected === 'string') return values.length > 0 && values.join(', ') === expected
  return JSON.stringify(values) === JSON.stringify(expected)
}

function shown(expected: FieldExpectation, now: number): string {
  if (expected instanceof RegExp) return String(expected)
  return JSON.stringify(typeof expected === 'function' ? expected(now, '') : expected)
}
