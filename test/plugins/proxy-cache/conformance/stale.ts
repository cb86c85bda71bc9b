import { type Answer, httpDate } from '../../../harness/scripted-origin.js'
import { bodyOf, cacheControl, doesNotReuse, type Exchange, type Rule, under, validates } from './row.js'

const minute = cacheControl('max-age=60')
const entityTag = ['ETag', '"a"'] as const

/** What may become of asking the origin, and what the client gets when it may not have the stale response instead. */
const failures: readonly [title: string, answer: Answer, status: number | undefined][] = [
  ['returns 500', { status: 500 }, 500],
  ['returns 502', { status: 502 }, 502],
  ['returns 503', { status: 503 }, 503],
  ['returns 504', { status: 504 }, 504],
  ['refuses the connection', { fault: 'refused' }, undefined],
  ['cuts the connection', { fault: 'cut' }, undefined],
]

/** The directives after which a stale response must not be used, whatever else permits it. */
const prohibitions = ['no-cache', 'must-revalidate', 'proxy-revalidate', 's-maxage=60']

/** A response that is stale by some seconds, and the failure of the origin when it is asked again. */
function failing(first: Answer, failure: Answer, secondsStale = 1): readonly [Exchange, Exchange] {
  return [{ origin: first }, { after: 60 + secondsStale, origin: failure }]
}

type Untitled = Omit<Rule, 'title'>

/** The client gets the failure. */
function passesOn(first: Answer, [, failure, status]: (typeof failures)[number], secondsStale?: number): Untitled {
  const [store, ask] = failing(first, failure, secondsStale)
  const expect = status === undefined ? { by: 'none' as const } : { status }
  return { exchanges: [store, { ...ask, expect }] }
}

/** The client gets the stale response. */
function serves(first: Answer, [, failure]: (typeof failures)[number], secondsStale?: number): Untitled {
  const [store, ask] = failing(first, failure, secondsStale)
  const reached = failure.fault === 'refused' ? 0 : 1
  return { exchanges: [store, { ...ask, expect: { by: 'store', reached } }] }
}

const says = (value: string): Answer => ({ fields: [cacheControl(value)] })

export const stale = [
  ...under('RFC 9111 §4.2.4', [
    doesNotReuse('does not serve a stale response without permission', { fields: [minute], after: 61 }),
    ...failures.map((failure) => ({
      title: `does not serve a stale response without permission, when the origin ${failure[0]}`,
      ...passesOn(says('max-age=60'), failure),
    })),
    ...prohibitions.flatMap((prohibition) =>
      failures.map((failure) => ({
        title: `does not serve stale a response with ${prohibition}, when the origin ${failure[0]}`,
        ...passesOn(says(`max-age=60, stale-if-error=600, ${prohibition}`), failure),
      })),
    ),
    ...prohibitions.map((prohibition) => ({
      title: `does not serve stale while it asks a response with ${prohibition}`,
      exchanges: [
        { origin: says(`max-age=60, stale-while-revalidate=600, ${prohibition}`) },
        { after: 61 },
      ] satisfies Exchange[],
    })),
    ...prohibitions.map((prohibition) => ({
      title: `does not serve stale a response with ${prohibition} to a client that would take it`,
      exchanges: [
        { origin: says(`max-age=60, ${prohibition}`) },
        { after: 61, fields: [cacheControl('max-stale')] },
      ] satisfies Exchange[],
    })),
    ...prohibitions.map((prohibition) => ({
      title: `does not let the route permit what ${prohibition} prohibits when the origin fails`,
      route: 'staleIfError' as const,
      ...passesOn(says(`max-age=60, ${prohibition}`), ['', { status: 503 }, 503]),
    })),
    ...prohibitions.map((prohibition) => ({
      title: `does not let the route permit what ${prohibition} prohibits while it asks`,
      route: 'staleWhileRevalidate' as const,
      exchanges: [{ origin: says(`max-age=60, ${prohibition}`) }, { after: 61 }] satisfies Exchange[],
    })),
  ]),

  ...under('RFC 9111 §5.2.2.2', [
    validates('reuses a response with must-revalidate once it is validated', {
      fields: [cacheControl('max-age=60, must-revalidate'), entityTag],
      after: 61,
    }),
  ]),

  ...under('RFC 9111 §5.2.2.8', [
    validates('reuses a response with proxy-revalidate once it is validated', {
      fields: [cacheControl('max-age=60, proxy-revalidate'), entityTag],
      after: 61,
    }),
  ]),

  ...under('RFC 5861 §3', [
    {
      title: 'serves stale within stale-while-revalidate, and refreshes in the background',
      exchanges: [
        { origin: says('max-age=60, stale-while-revalidate=30') },
        {
          after: 61,
          origin: says('max-age=60'),
          expect: { by: 'store', refreshed: true, fields: { age: '61' } },
        },
        { after: 1, expect: { by: 'store', of: 2 } },
      ],
    },
    {
      title: 'serves stale within stale-while-revalidate, and validates in the background',
      exchanges: [
        { origin: { fields: [cacheControl('max-age=60, stale-while-revalidate=30'), entityTag] } },
        {
          after: 61,
          origin: { fields: [cacheControl('max-age=60, stale-while-revalidate=30'), entityTag, ['X-Turn', '2']] },
          expect: { by: 'store', refreshed: true },
        },
        { after: 59, expect: { by: 'store', fields: { 'x-turn': '2', age: '59' } } },
      ],
    },
    {
      title: 'serves stale until the last second of stale-while-revalidate',
      exchanges: [
        { origin: says('max-age=60, stale-while-revalidate=30') },
        { after: 89, origin: says('max-age=60'), expect: { by: 'store', refreshed: true } },
      ],
    },
    {
      title: 'asks the origin first once stale-while-revalidate is over',
      exchanges: [{ origin: says('max-age=60, stale-while-revalidate=30') }, { after: 91 }],
    },
    {
      title: 'counts stale-while-revalidate from the end of the freshness that Expires gives',
      exchanges: [
        { origin: { fields: [cacheControl('stale-while-revalidate=30'), ['Expires', httpDate(60)]] } },
        { after: 61, origin: says('max-age=60'), expect: { by: 'store', refreshed: true } },
      ],
    },
    {
      title: 'ignores a stale-while-revalidate that is no number',
      exchanges: [{ origin: says('max-age=60, stale-while-revalidate=soon') }, { after: 61 }],
    },
    {
      title: 'ignores a stale-while-revalidate of 0',
      exchanges: [{ origin: says('max-age=60, stale-while-revalidate=0') }, { after: 61 }],
    },
    {
      title: 'stores a response of max-age 0 for its stale-while-revalidate',
      exchanges: [
        { origin: says('max-age=0, stale-while-revalidate=30') },
        { after: 1, origin: says('max-age=60'), expect: { by: 'store', refreshed: true } },
        { after: 1, expect: { by: 'store', of: 2 } },
      ],
    },
    {
      title: 'keeps the stale response when the origin fails in the background',
      exchanges: [
        { origin: says('max-age=60, stale-while-revalidate=600') },
        { after: 61, origin: { status: 503 }, expect: { by: 'store', refreshed: true } },
        { after: 30, origin: says('max-age=60'), expect: { by: 'store', refreshed: true } },
        { after: 1, expect: { by: 'store', of: 3 } },
      ],
    },
    {
      title: 'replaces the stale response by one that must not be stored',
      exchanges: [
        { origin: says('max-age=60, stale-while-revalidate=600') },
        { after: 61, origin: says('no-store'), expect: { by: 'store', refreshed: true } },
        { after: 1 },
      ],
    },
    {
      title: 'serves stale within the window that the route permits, and refreshes in the background',
      route: 'staleWhileRevalidate',
      exchanges: [
        { origin: says('max-age=60') },
        { after: 119, origin: says('max-age=60'), expect: { by: 'store', refreshed: true } },
        { after: 1, expect: { by: 'store', of: 2 } },
      ],
    },
    {
      title: 'asks the origin first once the window that the route permits is over',
      route: 'staleWhileRevalidate',
      exchanges: [{ origin: says('max-age=60') }, { after: 121 }],
    },
    {
      title: 'asks the origin for the whole behind the answer to a range',
      exchanges: [
        { origin: says('max-age=60, stale-while-revalidate=30') },
        {
          after: 61,
          fields: [['Range', 'bytes=0-3']],
          origin: says('max-age=60'),
          expect: { by: 'store', status: 206, body: 'answ', refreshed: true },
        },
        { after: 1, expect: { by: 'store', of: 2 } },
      ],
    },
    {
      title: 'asks the origin by what is stored, not by what the client has, behind a 304',
      exchanges: [
        { origin: { fields: [cacheControl('max-age=60, stale-while-revalidate=30'), entityTag] } },
        {
          after: 61,
          fields: [['If-None-Match', '"a", "b"']],
          origin: { fields: [minute, ['ETag', '"b"']] },
          expect: { by: 'store', status: 304, refreshed: true },
        },
        { after: 1, expect: { by: 'store', of: 2 } },
      ],
    },
    {
      title: 'asks the origin with GET behind the answer to HEAD',
      exchanges: [
        { origin: says('max-age=60, stale-while-revalidate=30') },
        {
          method: 'HEAD',
          after: 61,
          origin: says('max-age=60'),
          expect: { by: 'store', refreshed: true, sentMethod: 'GET' },
        },
        { after: 1, expect: { by: 'store', of: 2 } },
      ],
    },
    {
      title: 'asks the origin with the fields that the response varies by behind the answer',
      exchanges: [
        {
          fields: [['Foo', '1']],
          origin: { fields: [cacheControl('max-age=60, stale-while-revalidate=30'), ['Vary', 'Foo']] },
        },
        {
          fields: [['Foo', '1']],
          after: 61,
          origin: { fields: [minute, ['Vary', 'Foo']] },
          expect: { by: 'store', refreshed: true },
        },
        { fields: [['Foo', '1']], after: 1, expect: { by: 'store', of: 2 } },
        { fields: [['Foo', '2']] },
      ],
    },
    {
      title: 'asks the origin once behind answers that are wanted together',
      exchanges: [
        { origin: says('max-age=60, stale-while-revalidate=30') },
        { after: 61, together: 4, origin: says('max-age=60'), expect: { by: 'store', refreshed: true } },
      ],
    },
    {
      title: 'lets a response say a shorter stale-while-revalidate than its route',
      route: 'staleWhileRevalidate',
      exchanges: [{ origin: says('max-age=60, stale-while-revalidate=10') }, { after: 75 }],
    },
  ]),

  ...under('RFC 5861 §4', [
    ...failures.map((failure) => ({
      title: `serves stale within stale-if-error when the origin ${failure[0]}`,
      ...serves(says('max-age=60, stale-if-error=30'), failure),
    })),
    ...failures.map((failure) => ({
      title: `serves stale within stale-if-error when the origin, asked whether anything changed, ${failure[0]}`,
      ...serves({ fields: [cacheControl('max-age=60, stale-if-error=30'), entityTag] }, failure),
    })),
    ...failures.map((failure) => ({
      title: `does not serve stale once stale-if-error is over, when the origin ${failure[0]}`,
      ...passesOn(says('max-age=60, stale-if-error=30'), failure, 31),
    })),
    ...failures.map((failure) => ({
      title: `serves stale within the window that the route permits when the origin ${failure[0]}`,
      route: 'staleIfError' as const,
      ...serves(says('max-age=60'), failure, 59),
    })),
    ...failures.map((failure) => ({
      title: `does not serve stale once the window that the route permits is over, when the origin ${failure[0]}`,
      route: 'staleIfError' as const,
      ...passesOn(says('max-age=60'), failure, 61),
    })),
    ...[400, 401, 403, 404, 410, 429, 501, 505].map((status) => ({
      title: `does not replace a ${status} by a stale response`,
      ...passesOn(says('max-age=60, stale-if-error=30'), ['', { status }, status]),
    })),
    {
      title: 'ignores a stale-if-error that is no number',
      ...passesOn(says('max-age=60, stale-if-error=soon'), ['', { status: 503 }, 503]),
    },
    {
      title: 'sends the Age of a response served when the origin fails',
      exchanges: [
        { origin: says('max-age=60, stale-if-error=600') },
        { after: 100, origin: { status: 503 }, expect: { by: 'store', reached: 1, fields: { age: '100' } } },
      ],
    },
    {
      title: 'serves stale for an error to HEAD',
      exchanges: [
        { origin: says('max-age=60, stale-if-error=30') },
        { method: 'HEAD', after: 61, origin: { status: 503 }, expect: { by: 'store', reached: 1 } },
      ],
    },
    {
      title: 'serves a range of a stale response for an error',
      exchanges: [
        { origin: says('max-age=60, stale-if-error=30') },
        {
          after: 61,
          fields: [['Range', 'bytes=0-3']],
          origin: { status: 503 },
          expect: { by: 'store', status: 206, body: 'answ', reached: 1 },
        },
      ],
    },
    {
      title: 'answers 304 for an error to a client that has the stale representation',
      exchanges: [
        { origin: { fields: [cacheControl('max-age=60, stale-if-error=30'), entityTag] } },
        {
          after: 61,
          fields: [['If-None-Match', '"a"']],
          origin: { status: 503 },
          expect: { by: 'store', status: 304, reached: 1 },
        },
      ],
    },
    {
      title: 'asks the origin again for a later request after it has failed',
      exchanges: [
        { origin: says('max-age=60, stale-if-error=600') },
        { after: 61, origin: { status: 503 }, expect: { by: 'store', reached: 1 } },
        { after: 30, origin: says('max-age=60') },
        { after: 1, expect: { by: 'store', of: 3 } },
      ],
    },
    {
      title: 'serves stale for an error, within stale-if-error, to a request with no-cache as well',
      exchanges: [
        { origin: says('max-age=60, stale-if-error=600') },
        {
          after: 61,
          fields: [cacheControl('no-cache')],
          origin: { status: 503 },
          expect: { by: 'store', reached: 1 },
        },
      ],
    },
    {
      title: 'does not serve stale by stale-if-error of a request',
      supported: false,
      exchanges: [
        { origin: says('max-age=60') },
        { after: 61, fields: [cacheControl('stale-if-error=600')], origin: { status: 503 }, expect: { status: 503 } },
      ],
    },
    {
      title: 'does not answer from the store a failed request that has nothing stored',
      exchanges: [{ origin: { status: 503, fields: [cacheControl('stale-if-error=600')] } }, { after: 1 }],
    },
  ]),

  ...under('RFC 9111 §4.3.3', [
    {
      title: 'serves a fresh response to a request with no-cache when the origin fails',
      exchanges: [
        { origin: says('max-age=60') },
        {
          after: 1,
          fields: [cacheControl('no-cache')],
          origin: { status: 503 },
          expect: { by: 'store', reached: 1 },
        },
      ],
    },
    {
      title: 'keeps the response that a failed validation was about',
      exchanges: [
        { origin: { fields: [minute, entityTag] } },
        { after: 61, origin: { status: 503 }, expect: { status: 503 } },
        { after: 1, origin: { fields: [minute, entityTag] }, expect: { by: 'validation' } },
      ],
    },
    {
      title: 'sends the client the full response that the origin returns to a validation',
      exchanges: [
        { origin: { fields: [minute, entityTag] } },
        { after: 61, origin: { fields: [minute, ['ETag', '"b"']] }, expect: { sent: { 'if-none-match': '"a"' } } },
        { after: 1, expect: { by: 'store', of: 2, body: bodyOf(2) } },
      ],
    },
    {
      title: 'sends the client the 404 that the origin returns to a validation',
      exchanges: [
        { origin: { fields: [minute, entityTag] } },
        { after: 61, origin: { status: 404, fields: [minute] } },
        { after: 1, expect: { by: 'store', of: 2, status: 404 } },
      ],
    },
  ]),

  ...under('RFC 9111 §5.5', [
    {
      title: 'sends no Warning for a stale response',
      exchanges: [
        { origin: says('max-age=60, stale-if-error=600') },
        { after: 61, origin: { status: 503 }, expect: { by: 'store', reached: 1, fields: { warning: null } } },
      ],
    },
  ]),
]
