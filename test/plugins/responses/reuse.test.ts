import t, { type Test } from 'tap'
import type { Dependencies } from '../../../plugins/cache/index.js'
import type { RequestDirectives } from '../../../plugins/http/request-directives.js'
import { decideReuse, type ReuseDecision } from '../../../plugins/responses/reuse.js'
import { StoredResponse, type StoredResponseFields } from '../../../plugins/responses/stored-response.js'

const bornAt = Date.UTC(2026, 10, 25, 12, 0, 0)

/** A response with a lifetime of 60 s, stale-while-revalidate of 30 s and stale-if-error of 300 s. */
function storedWith(parts: Partial<StoredResponseFields> = {}): StoredResponse {
  return new StoredResponse({
    status: 200,
    fields: {},
    body: Buffer.from('a'),
    bornAt,
    receivedAt: bornAt,
    instants: instantsOf(60, 90, 360),
    varyNames: [],
    varyValues: [],
    cdnFields: {},
    browserTtlSeconds: undefined,
    compresses: false,
    allowsStale: true,
    hasOwnValidator: false,
    isDerived: false,
    tags: [],
    dependencies: undefined,
    ...parts,
  })
}

/** Instants in seconds after the origin date of the response. */
function instantsOf(fresh: number, revalidate: number, stale: number): StoredResponseFields['instants'] {
  const at = (seconds: number) => bornAt + seconds * 1_000
  return { freshUntil: at(fresh), revalidateUntil: at(revalidate), staleUntil: at(stale) }
}

/** Dependencies with an entry that has been purged. */
const purged: Dependencies = {
  tags: [],
  freshForMs: Number.POSITIVE_INFINITY,
  revalidateForMs: Number.POSITIVE_INFINITY,
  staleForMs: Number.POSITIVE_INFINITY,
  isCurrent: () => false,
  withTags: () => purged,
  purgeVerdict: () => 'soft',
}

const nothing: RequestDirectives = {
  noCache: false,
  onlyIfCached: false,
  maxAgeSeconds: undefined,
  minFreshSeconds: undefined,
  maxStaleSeconds: undefined,
}

interface Case {
  readonly name: string
  /** Seconds since the origin date of the response. */
  readonly at: number
  readonly asks?: Partial<RequestDirectives>
  readonly stored?: StoredResponse
  readonly expected: string
}

/** The reuse decision, or the reason for a miss. */
function outcome(choice: ReuseDecision): string {
  return choice.use === 'nothing' ? choice.why : choice.use
}

function check(t: Test, cases: readonly Case[]): void {
  for (const { name, at, asks, stored = storedWith(), expected } of cases) {
    const asked = asks === undefined ? undefined : { ...nothing, ...asks }
    t.equal(outcome(decideReuse(stored, asked, bornAt + at * 1_000)), expected, name)
  }
}

t.test('without a stored response the request is forwarded as uri-miss (RFC 9211 §2.2)', async (t) => {
  t.equal(outcome(decideReuse(undefined, undefined, bornAt)), 'uri-miss')
  const asked = { ...nothing, noCache: true, maxStaleSeconds: Number.POSITIVE_INFINITY }
  t.equal(outcome(decideReuse(undefined, asked, bornAt)), 'uri-miss', 'with any request directives')
})

t.test('the stored response is reused', async (t) => {
  const stored = storedWith()
  t.match(decideReuse(stored, undefined, bornAt), { use: 'fresh', stored })
  t.match(decideReuse(stored, nothing, bornAt + 70_000), { use: 'stale-while-revalidate', stored })
})

t.test(
  'a response is used while it is fresh, and for a while after that as it is made again (RFC 5861 §3)',
  async (t) => {
    const cases: Omit<Case, 'asks'>[] = [
      { name: 'new', at: 0, expected: 'fresh' },
      { name: 'to the last moment', at: 59.999, expected: 'fresh' },
      { name: 'a lifetime that is over is over (RFC 9111 §4.2)', at: 60, expected: 'stale-while-revalidate' },
      { name: 'to the last moment of the window', at: 89.999, expected: 'stale-while-revalidate' },
      { name: 'and no longer', at: 90, expected: 'stale' },
      { name: 'the window for errors is not for this', at: 300, expected: 'stale' },
      { name: 'no window', at: 60, stored: storedWith({ instants: instantsOf(60, 60, 60) }), expected: 'stale' },
      { name: 'a lifetime of 0', at: 0, stored: storedWith({ instants: instantsOf(0, 0, 0) }), expected: 'stale' },
      {
        name: 'what it was made from has gone',
        at: 0,
        stored: storedWith({ dependencies: purged }),
        expected: 'stale',
      },
      { name: 'and it would be stale', at: 70, stored: storedWith({ dependencies: purged }), expected: 'stale' },
    ]
    check(t, cases)
    check(
      t,
      cases.map((one) => ({ ...one, name: `${one.name}, for a client that asks for nothing`, asks: {} })),
    )
  },
)

t.test('no-cache requires validation (RFC 9111 §5.2.1.4)', async (t) => {
  check(t, [
    { name: 'fresh', at: 0, asks: { noCache: true }, expected: 'request' },
    { name: 'stale', at: 70, asks: { noCache: true }, expected: 'stale' },
    {
      name: 'max-stale does not outweigh it',
      at: 70,
      asks: { noCache: true, maxStaleSeconds: 100 },
      expected: 'stale',
    },
    { name: 'nor does max-age', at: 0, asks: { noCache: true, maxAgeSeconds: 100 }, expected: 'request' },
  ])
})

t.test('max-age refuses older and stale responses (RFC 9111 §5.2.1.1)', async (t) => {
  check(t, [
    { name: 'younger', at: 9, asks: { maxAgeSeconds: 10 }, expected: 'fresh' },
    { name: 'just as old, in whole seconds', at: 10.999, asks: { maxAgeSeconds: 10 }, expected: 'fresh' },
    { name: 'older', at: 11, asks: { maxAgeSeconds: 10 }, expected: 'request' },
    { name: 'of 0, when it is new', at: 0, asks: { maxAgeSeconds: 0 }, expected: 'fresh' },
    { name: 'of 0, a second later', at: 1, asks: { maxAgeSeconds: 0 }, expected: 'request' },
    { name: 'older and stale', at: 70, asks: { maxAgeSeconds: 10 }, expected: 'stale' },
    {
      name: 'younger and stale, though the response allows it',
      at: 70,
      asks: { maxAgeSeconds: 80 },
      expected: 'stale',
    },
    {
      name: 'with max-stale it may be',
      at: 70,
      asks: { maxAgeSeconds: 80, maxStaleSeconds: 10 },
      expected: 'max-stale',
    },
    {
      name: 'with max-stale it may not be older',
      at: 70,
      asks: { maxAgeSeconds: 65, maxStaleSeconds: 10 },
      expected: 'stale',
    },
    { name: 'nor when it is fresh', at: 11, asks: { maxAgeSeconds: 10, maxStaleSeconds: 10 }, expected: 'request' },
    { name: 'beyond its lifetime it adds nothing', at: 59, asks: { maxAgeSeconds: 2 ** 31 }, expected: 'fresh' },
  ])
})

t.test('min-fresh requires a remaining freshness (RFC 9111 §5.2.1.3)', async (t) => {
  check(t, [
    { name: 'longer', at: 40, asks: { minFreshSeconds: 10 }, expected: 'fresh' },
    { name: 'just as long', at: 50, asks: { minFreshSeconds: 10 }, expected: 'fresh' },
    { name: 'less', at: 50.001, asks: { minFreshSeconds: 10 }, expected: 'request' },
    { name: 'of 0 requires freshness', at: 59.999, asks: { minFreshSeconds: 0 }, expected: 'fresh' },
    { name: 'and nothing that is stale', at: 70, asks: { minFreshSeconds: 0 }, expected: 'stale' },
    {
      name: 'nor does max-stale outweigh it',
      at: 70,
      asks: { minFreshSeconds: 0, maxStaleSeconds: 100 },
      expected: 'stale',
    },
    { name: 'more than its whole lifetime', at: 0, asks: { minFreshSeconds: 61 }, expected: 'request' },
    { name: 'max-age counts beside it', at: 20, asks: { minFreshSeconds: 10, maxAgeSeconds: 10 }, expected: 'request' },
  ])
})

t.test('max-stale limits the staleness (RFC 9111 §5.2.1.2)', async (t) => {
  const without = Number.POSITIVE_INFINITY
  const never = storedWith({ allowsStale: false, instants: instantsOf(60, 60, 60) })
  check(t, [
    { name: 'fresh', at: 0, asks: { maxStaleSeconds: 100 }, expected: 'fresh' },
    { name: 'stale by less', at: 69, asks: { maxStaleSeconds: 10 }, expected: 'max-stale' },
    { name: 'by as much', at: 70, asks: { maxStaleSeconds: 10 }, expected: 'max-stale' },
    { name: 'by more, though the response allows it', at: 70.001, asks: { maxStaleSeconds: 10 }, expected: 'stale' },
    { name: 'by more than all windows', at: 1_000, asks: { maxStaleSeconds: 940 }, expected: 'max-stale' },
    { name: 'without a number, however stale', at: 10 ** 6, asks: { maxStaleSeconds: without }, expected: 'max-stale' },
    { name: 'of 0, at the end of freshness', at: 60, asks: { maxStaleSeconds: 0 }, expected: 'max-stale' },
    { name: 'of 0, a moment later', at: 60.001, asks: { maxStaleSeconds: 0 }, expected: 'stale' },
    {
      name: 'the response forbids it (§4.2.4)',
      at: 61,
      asks: { maxStaleSeconds: without },
      stored: never,
      expected: 'stale',
    },
    {
      name: 'what it was made from has gone',
      at: 70,
      asks: { maxStaleSeconds: without },
      stored: storedWith({ dependencies: purged }),
      expected: 'stale',
    },
  ])
})

t.test('only-if-cached does not affect reuse, only the result of a miss (RFC 9111 §5.2.1.7)', async (t) => {
  check(t, [
    { name: 'fresh', at: 0, asks: { onlyIfCached: true }, expected: 'fresh' },
    { name: 'in the window', at: 70, asks: { onlyIfCached: true }, expected: 'stale-while-revalidate' },
    { name: 'stale', at: 90, asks: { onlyIfCached: true }, expected: 'stale' },
  ])
})
