import { type Answer, linesAt, type ReceivedRequest } from '../../../harness/scripted-origin.js'
import { until } from '../../../harness/until.js'
import type { CachesBeforeOrigin, ClientResponse } from './caches.js'
import { bodyOf, type Exchange, type Expectation, type FieldExpectation, type Row } from './row.js'

let paths = 0

/** Plays the conversation of a row under a path of its own; gives the failures. */
export async function play(row: Row, caches: CachesBeforeOrigin): Promise<string[]> {
  const { clock, origin } = caches
  paths += 1
  const prefix = `/${row.route ?? 'plain'}/${paths}`
  // Starts at a full second, the precision of dates; each exchange takes a millisecond.
  clock.set(Math.ceil(clock.now() / 1_000) * 1_000)
  const failures: string[] = []
  for (const [index, exchange] of row.exchanges.entries()) {
    const fail = (failure: string) => failures.push(`exchange ${index + 1}: ${failure}`)
    await playExchange({ row, index, exchange, prefix, caches, fail })
    clock.step(0.001)
  }
  origin.forget(prefix)
  return failures
}

interface Playing {
  readonly row: Row
  readonly index: number
  readonly exchange: Exchange
  readonly prefix: string
  readonly caches: CachesBeforeOrigin
  fail(failure: string): void
}

async function playExchange({ row, index, exchange, prefix, caches, fail }: Playing): Promise<void> {
  const { clock, origin } = caches
  const { method = 'GET', after = 0, expect = {} } = exchange
  clock.step(after)
  const now = clock.now()
  const before = origin.received(prefix).length
  origin.answer(prefix, answerOf(exchange, index))
  const { responses, reachedBy } = await converse(exchange, prefix, caches)
  await caches.settle()
  const reached = reachedBy()

  const expected = expectedOf(row, index)
  for (const response of responses) compareResponse(response, expected, fail)
  const lines = responses[0]?.lines ?? []
  if (expect.by === 'store') compareFields('response', { age: /^\d+$/ }, lines, now, fail)
  compareFields('response', expect.fields, lines, now, fail)
  compareReached(reached, expect, method, fail)
  compareFields('request to the origin', expect.sent, reached.at(-1)?.lines ?? [], now, fail)
  if (expect.refreshed) {
    const wasAsked = await until(() => origin.received(prefix).length === before + 1)
    if (!wasAsked) fail('the origin was not asked after the answer')
    await caches.settle()
  }
}

interface Conversation {
  readonly responses: readonly ClientResponse[]
  /** The requests that have reached the origin so far. */
  readonly reachedBy: () => readonly ReceivedRequest[]
}

/** Sends the requests of an exchange. */
async function converse(exchange: Exchange, prefix: string, caches: CachesBeforeOrigin): Promise<Conversation> {
  const { clock, origin } = caches
  const { method = 'GET', path = '', host = 'edge.test', fields = [], body, together = 1, meanwhile } = exchange
  const request = { method, host, path: prefix + path, lines: linesAt(fields, clock.now(), prefix), body }
  const before = origin.received(prefix).length
  const received = () => origin.received(prefix).slice(before)
  if (meanwhile === undefined) {
    const whenAllArrived = together > 1 ? origin.hold(prefix).release : undefined
    const responses = await caches.send(request, { count: together, whenAllArrived })
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

interface Expected {
  readonly status: number | 'broken' | undefined
  readonly body: string | RegExp | undefined
}

const withoutContent = new Set([204, 205, 304])

/** Expected status and body. */
function expectedOf({ exchanges }: Row, index: number): Expected {
  const { method, expect = {} } = exchanges[index] ?? {}
  const { by = 'origin', of = 1 } = expect
  const source = by === 'origin' ? index : of - 1
  const answer = answerOf(exchanges[source] ?? {}, source)
  const status = expect.status ?? (by === 'none' ? undefined : (answer.status ?? 200))
  if (by === 'none') return { status, body: expect.body ?? /^(?!answer)/ }
  const isEmpty = method === 'HEAD' || (typeof status === 'number' && withoutContent.has(status))
  return { status, body: expect.body ?? (isEmpty ? '' : answer.body) }
}

function compareResponse(response: ClientResponse, expected: Expected, fail: Playing['fail']): void {
  const status = response.isWhole ? response.status : 'broken'
  if (expected.status !== undefined && status !== expected.status) fail(`status ${status}, not ${expected.status}`)
  if (status === 'broken') return
  const { body } = expected
  const isRight = body instanceof RegExp ? body.test(response.body) : body === undefined || body === response.body
  if (!isRight) fail(`body ${JSON.stringify(response.body)}, not ${body}`)
}

function compareReached(
  reached: readonly ReceivedRequest[],
  { by = 'origin', reached: count, sentMethod, refreshed }: Expectation,
  method: string,
  fail: Playing['fail'],
): void {
  const expected = count ?? { origin: 1, validation: 1, store: 0, none: undefined }[by]
  // A refresh may reach the origin before or after this moment; the caller waits for it.
  const isRight = refreshed ? reached.length <= 1 : expected === undefined || reached.length === expected
  if (!isRight) fail(`${reached.length} requests reached the origin, not ${expected}`)
  const last = reached.at(-1)
  if (last !== undefined && last.method !== (sentMethod ?? method)) fail(`the origin was asked with ${last.method}`)
  const isConditional = last?.field('if-none-match') !== undefined || last?.field('if-modified-since') !== undefined
  if (by === 'validation' && !isConditional) fail('the origin was asked without a condition')
}

function compareFields(
  where: string,
  expectedFields: Expectation['fields'],
  lines: readonly (readonly [name: string, value: string])[],
  now: number,
  fail: Playing['fail'],
): void {
  for (const [name, expected] of Object.entries(expectedFields ?? {})) {
    const values = lines.filter(([line]) => line.toLowerCase() === name).map(([, value]) => value)
    if (!matches(values, expected, now)) {
      fail(`${name} of the ${where} is ${JSON.stringify(values)}, not ${format(expected, now)}`)
    }
  }
}

function matches(values: readonly string[], expected: FieldExpectation, now: number): boolean {
  if (expected === null) return values.length === 0
  if (expected instanceof RegExp) return values.length > 0 && expected.test(values.join(', '))
  if (typeof expected === 'object' && 'without' in expected) return !values.join(', ').includes(expected.without)
  if (typeof expected === 'function') return values.join(', ') === expected(now, '')
  if (typeof expected === 'string') return values.length > 0 && values.join(', ') === expected
  return JSON.stringify(values) === JSON.stringify(expected)
}

function format(expected: FieldExpectation, now: number): string {
  if (expected instanceof RegExp) return String(expected)
  return JSON.stringify(typeof expected === 'function' ? expected(now, '') : expected)
}
