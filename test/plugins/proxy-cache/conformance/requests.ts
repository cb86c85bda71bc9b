import { cacheControl, doesNotReuse, type Row, reuses, under, validates } from './row.js'

const hour = cacheControl('max-age=3600')
const entityTag = ['ETag', '"a"'] as const

/** A response is stored, some seconds pass, and a request with the directives comes. */
function asked(value: string, fields = [hour], after = 1) {
  return { fields, asking: [cacheControl(value)], after }
}

/** Directives that a fresh response does not satisfy, 100 seconds after it came with 3,600 seconds to live. */
const refused = [
  'no-cache',
  'NO-CACHE',
  'max-age=0, no-cache',
  'no-cache, only-x',
  'max-age=0',
  'max-age=99',
  'Max-Age=99',
  'max-age="99"',
  'min-fresh=3501',
  'min-fresh="3501"',
  'max-age=99, max-stale',
  'max-age=1000, min-fresh=3501',
]

/** Directives that it satisfies, or that say nothing. */
const satisfied = [
  'max-age=100',
  'max-age=101',
  'max-age=3600',
  'min-fresh=0',
  'min-fresh=3400',
  'max-stale',
  'max-stale=10',
  'only-if-cached',
  'no-transform',
  'foo',
  'foo=bar',
  'foo="no-cache"',
  'foo="max-age=0"',
  'max-age=abc',
  'max-age=-1',
  'max-age',
  'min-fresh=soon',
  'min-fresh',
  'must-revalidate',
  'private',
  's-maxage=0',
  'stale-if-error=0',
]

export const requests = [
  ...under('RFC 9111 §5.2.1', [
    ...refused.map((value) => doesNotReuse(`forwards a request with ${value}`, asked(value, [hour], 100))),
    ...satisfied.map((value) =>
      reuses(`serves the stored response to a request with ${value}`, asked(value, [hour], 100)),
    ),
    ...refused.map((value) =>
      reuses(`ignores, if the route says so, a request with ${value}`, {
        ...asked(value, [hour], 100),
        route: 'deaf',
      }),
    ),
    doesNotReuse('listens to the second of two lines of directives', {
      fields: [hour],
      asking: [cacheControl('foo'), cacheControl('no-cache')],
    }),
  ]),

  ...under('RFC 9111 §5.2.1.1', [
    doesNotReuse('counts the Age of the response against max-age', {
      ...asked('max-age=600', [hour]),
      fields: [hour, ['Age', '1800']],
    }),
    validates('validates a response older than max-age', {
      ...asked('max-age=10'),
      fields: [hour, entityTag],
      after: 11,
    }),
    {
      title: 'reuses for others what was validated for a request that said max-age=0',
      exchanges: [
        { origin: { fields: [hour, entityTag] } },
        {
          after: 10,
          fields: [cacheControl('max-age=0')],
          origin: { fields: [hour, entityTag] },
          expect: { by: 'validation' },
        },
        { after: 5, expect: { by: 'store', fields: { age: '5' } } },
      ],
    },
  ]),

  ...under('RFC 9111 §5.2.1.2', [
    reuses('serves stale to a request with max-stale', asked('max-stale', [hour], 5_000)),
    reuses('serves stale by no more than max-stale', asked('max-stale=1000', [hour], 4_500)),
    doesNotReuse(
      'does not serve a response that is stale by more than max-stale',
      asked('max-stale=1000', [hour], 4_700),
    ),
    reuses('counts the Age of a response for max-stale', {
      ...asked('max-stale=1000'),
      fields: [cacheControl('max-age=1500'), ['Age', '2000']],
    }),
    doesNotReuse('ignores a max-stale that is no number', asked('max-stale=much', [hour], 3_700)),
    doesNotReuse('does not serve stale within max-stale a response older than max-age', {
      ...asked('max-stale=1000, max-age=3000', [hour], 3_700),
    }),
    doesNotReuse('ignores max-stale if the route says so', {
      ...asked('max-stale', [hour], 3_700),
      route: 'deaf',
    }),
  ]),

  ...under('RFC 9111 §5.2.1.3', [
    doesNotReuse('counts the Age of the response against min-fresh', {
      ...asked('min-fresh=1000'),
      fields: [cacheControl('max-age=1500'), ['Age', '1000']],
    }),
    doesNotReuse('does not satisfy a min-fresh beyond the lifetime', {
      ...asked('min-fresh=2000'),
      fields: [cacheControl('max-age=1500')],
    }),
  ]),

  ...under('RFC 9111 §5.2.1.4', [
    validates('validates a response with an entity-tag for a request with no-cache', {
      ...asked('no-cache'),
      fields: [hour, entityTag],
      expect: { sent: { 'if-none-match': '"a"' } },
    }),
    validates('validates a response with a Last-Modified for a request with no-cache', {
      ...asked('no-cache'),
      fields: [hour, ['Last-Modified', 'Mon, 09 Mar 2026 12:00:00 GMT']],
      expect: { sent: { 'if-modified-since': 'Mon, 09 Mar 2026 12:00:00 GMT' } },
    }),
    {
      title: 'stores for others the response to a request with no-cache',
      exchanges: [
        { origin: { fields: [hour] } },
        { fields: [cacheControl('no-cache')], origin: { fields: [hour] } },
        { after: 1, expect: { by: 'store', of: 2 } },
      ],
    },
    {
      title: 'forwards the directives of a request to the origin',
      exchanges: [{ fields: [cacheControl('no-cache, foo')], expect: { sent: { 'cache-control': /no-cache, foo/ } } }],
    },
  ]),

  ...under('RFC 9111 §5.2.1.5', [
    {
      title: 'does not store a response to a request with no-store',
      exchanges: [{ fields: [cacheControl('no-store')], origin: { fields: [hour] } }, { after: 1 }],
    },
    {
      title: 'does not remove the stored response when another client says no-store',
      exchanges: [
        { origin: { fields: [hour] } },
        { fields: [cacheControl('no-store, no-cache')], origin: { fields: [hour] } },
        { after: 1, expect: { by: 'store' } },
      ],
    },
    {
      title: 'stores it if the route does not honor request directives',
      route: 'deaf',
      exchanges: [
        { fields: [cacheControl('no-store')], origin: { fields: [hour] } },
        { after: 1, expect: { by: 'store' } },
      ],
    },
  ]),

  ...under('RFC 9111 §5.2.1.6', [
    reuses('sends the bytes of the origin to a request with no-transform', {
      ...asked('no-transform'),
      asking: [cacheControl('no-transform'), ['Accept-Encoding', 'gzip, br']],
      answer: { body: 'x'.repeat(5_000) },
      expect: { fields: { 'content-encoding': null } },
    }),
  ]),

  ...under('RFC 9111 §5.2.2.6', [
    reuses('does not transform a stored response, with or without no-transform', {
      fields: [hour],
      asking: [['Accept-Encoding', 'gzip, br']],
      answer: { body: 'x'.repeat(5_000) },
      expect: { fields: { 'content-encoding': null, 'cache-control': 'max-age=3600' } },
    }),
  ]),

  ...under('RFC 9111 §5.2.1.7', [
    {
      title: 'answers 504 to a request with only-if-cached when nothing is stored',
      exchanges: [{ fields: [cacheControl('only-if-cached')], expect: { by: 'none', status: 504, reached: 0 } }],
    },
    {
      title: 'answers 504 to a request with only-if-cached when the stored response is stale',
      exchanges: [
        { origin: { fields: [hour, entityTag] } },
        { after: 3_601, fields: [cacheControl('only-if-cached')], expect: { by: 'none', status: 504, reached: 0 } },
      ],
    },
    {
      title: 'answers 504 to a request with only-if-cached when another variant is stored',
      exchanges: [
        { fields: [['Foo', '1']], origin: { fields: [hour, ['Vary', 'Foo']] } },
        { fields: [['Foo', '2'], cacheControl('only-if-cached')], expect: { by: 'none', status: 504, reached: 0 } },
      ],
    },
    {
      title: 'serves a stale response to a request with only-if-cached and max-stale',
      exchanges: [
        { origin: { fields: [hour] } },
        { after: 3_601, fields: [cacheControl('only-if-cached, max-stale')], expect: { by: 'store' } },
      ],
    },
    {
      title: 'answers 504 to HEAD with only-if-cached when nothing is stored',
      exchanges: [
        { method: 'HEAD', fields: [cacheControl('only-if-cached')], expect: { by: 'none', status: 504, reached: 0 } },
      ],
    },
    {
      title: 'asks the origin, where the route does not listen, for a request with only-if-cached',
      route: 'deaf',
      exchanges: [{ fields: [cacheControl('only-if-cached')] }],
    },
  ]),

  ...under('RFC 9111 §5.4', [
    reuses('does not treat Pragma in a request as a directive', {
      fields: [hour],
      asking: [['Pragma', 'foo']],
    }),
    reuses('does not treat Pragma in a response as a directive', { fields: [hour, ['Pragma', 'no-cache']] }),
    reuses('listens to Cache-Control rather than Pragma', {
      fields: [hour],
      asking: [['Pragma', 'no-cache'], cacheControl('max-age=1000')],
    }),
    doesNotReuse('forwards a request with Pragma: no-cache and has no Cache-Control', {
      fields: [hour],
      asking: [['Pragma', 'no-cache']],
    }),
  ]),
] satisfies readonly Row[]
