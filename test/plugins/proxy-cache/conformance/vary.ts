import { httpDate } from '../../../harness/scripted-origin.js'
import { cacheControl, doesNotReuse, type Exchange, reuses, under } from './row.js'

const hour = cacheControl('max-age=3600')

const foo = (value: string) => ['Foo', value] as const

/** Two requests with one field each, and a response that varies by it. */
function selected(stored: string | undefined, presented: string | undefined, name = 'Foo') {
  const line = (value: string | undefined) => (value === undefined ? [] : [[name, value] as const])
  return { fields: [hour, ['Vary', name] as const], asked: line(stored), asking: line(presented) }
}

export const vary = [
  ...under('RFC 9111 §4.1', [
    reuses('reuses a response whose selecting field matches', selected('1', '1')),
    doesNotReuse('does not reuse a stored response when Vary names a field that differs', selected('1', '2')),
    doesNotReuse('does not reuse it when the field is missing from the request', selected('1', undefined)),
    doesNotReuse('does not reuse it when the field was missing from the first request', selected(undefined, '1')),
    doesNotReuse('tells an empty field from a missing one', selected(undefined, '')),
    reuses('reuses it when the field is missing from both', selected(undefined, undefined)),
    reuses('ignores the spaces around the value of a field', selected('1', '  1 ')),
    doesNotReuse('minds the case of a value', selected('a', 'A')),
    doesNotReuse('minds the order of a list', selected('a, b', 'b, a')),
    reuses('ignores other fields', {
      ...selected('1', '1'),
      asked: [foo('1'), ['Other', '2']],
      asking: [['Other', '3'], foo('1')],
    }),
    reuses('treats two lines of a field as one with a comma', {
      fields: [hour, ['Vary', 'Foo']],
      asked: [foo('1, 2')],
      asking: [foo('1'), foo('2')],
    }),
    reuses('ignores spaces after the comma of a list', selected('en,de', 'en,  de', 'Accept-Language')),
    ...['foo', 'FOO', 'fOO', ' Foo ', 'Foo,', ', Foo', 'Foo, Foo'].map((value) =>
      reuses(`understands a Vary written ${JSON.stringify(value)}, and reuses what matches`, {
        fields: [hour, ['Vary', value]],
        asked: [foo('1')],
        asking: [foo('1')],
      }),
    ),
    ...['foo', 'FOO', ' Foo ', 'Foo,', ', Foo', 'Bar, Foo', 'Bar,Foo', 'Bar,\tFoo'].map((value) =>
      doesNotReuse(`understands a Vary written ${JSON.stringify(value)}, and does not reuse what differs`, {
        fields: [hour, ['Vary', value]],
        asked: [foo('1')],
        asking: [foo('2')],
      }),
    ),
    doesNotReuse('understands several lines of Vary', {
      fields: [hour, ['Vary', 'Bar'], ['Vary', 'Foo']],
      asked: [foo('1')],
      asking: [foo('2')],
    }),
    reuses('ignores an empty Vary', { fields: [hour, ['Vary', '']], asked: [foo('1')], asking: [foo('2')] }),
    ...[
      ['*'],
      [' * '],
      ['*, *'],
      ['*', '*'],
      [', *'],
      ['', '*'],
      ['*, Foo'],
      ['Foo, *'],
      ['Foo,*,Bar'],
      ['Foo', '*'],
      ['*', 'Foo'],
    ].map((values) =>
      doesNotReuse(`does not reuse a response whose Vary says ${values.map((value) => `"${value}"`).join(' and ')}`, {
        fields: [hour, ...values.map((value) => ['Vary', value] as const)],
        asked: [foo('1')],
        asking: [foo('1')],
      }),
    ),
    doesNotReuse('does not reuse a response that varies by * for a request with a field of that name', {
      fields: [hour, ['Vary', '*']],
      asked: [['*', '1']],
      asking: [['*', '1']],
    }),
    reuses('reuses a response that varies by two fields when both match', {
      fields: [hour, ['Vary', 'Foo, Bar']],
      asked: [foo('1'), ['Bar', 'a']],
      asking: [['Bar', 'a'], foo('1')],
    }),
    doesNotReuse('does not reuse a response that varies by two fields when the first differs', {
      fields: [hour, ['Vary', 'Foo, Bar']],
      asked: [foo('1'), ['Bar', 'a']],
      asking: [foo('2'), ['Bar', 'a']],
    }),
    doesNotReuse('does not reuse a response that varies by two fields when the second differs', {
      fields: [hour, ['Vary', 'Foo, Bar']],
      asked: [foo('1'), ['Bar', 'a']],
      asking: [foo('1'), ['Bar', 'b']],
    }),
    doesNotReuse('does not mistake the value of one field for that of another', {
      fields: [hour, ['Vary', 'Foo, Bar']],
      asked: [foo('a'), ['Bar', 'b']],
      asking: [foo('b'), ['Bar', 'a']],
    }),
    doesNotReuse('does not mix up where one value ends and the next begins', {
      fields: [hour, ['Vary', 'Foo, Bar']],
      asked: [foo('a,b'), ['Bar', 'c']],
      asking: [foo('a'), ['Bar', 'b,c']],
    }),
    reuses('reuses a response that varies by three fields of which one is missing from both', {
      fields: [hour, ['Vary', 'Foo, Bar, Baz']],
      asked: [foo('1'), ['Baz', '7']],
      asking: [foo('1'), ['Baz', '7']],
    }),
    doesNotReuse('does not reuse a response that varies by three fields when one differs, in any order', {
      fields: [hour, ['Vary', 'Foo, Bar, Baz']],
      asked: [foo('1'), ['Bar', 'abc'], ['Baz', '7']],
      asking: [foo('1'), ['Baz', '7'], ['Bar', 'abcde']],
    }),
    doesNotReuse('does not reuse a response that varies by Accept-Encoding for another one', {
      ...selected('gzip', 'br', 'Accept-Encoding'),
      fields: [cacheControl('public, max-age=3600'), ['Vary', 'Accept-Encoding']],
    }),
    ...['Accept', 'Accept-Language', 'User-Agent', 'Cookie', 'Origin', 'Authorization'].map((name) =>
      doesNotReuse(`does not reuse a response that varies by ${name} for another one`, {
        ...selected('one', 'two', name),
        fields: [cacheControl('public, max-age=3600'), ['Vary', name]],
      }),
    ),
    {
      title: 'stores one response for each of the values',
      exchanges: [
        variant('1'),
        variant('2'),
        { fields: [foo('1')], expect: { by: 'store', of: 1 } },
        { fields: [foo('2')], expect: { by: 'store', of: 2 } },
        variant('3'),
        { fields: [foo('1')], expect: { by: 'store', of: 1 } },
        { fields: [foo('3')], expect: { by: 'store', of: 5 } },
      ],
    },
    {
      title: 'stores one for requests that have the field and one for those that do not',
      exchanges: [
        variant('1'),
        { origin: { fields: [hour, ['Vary', 'Foo']] } },
        { fields: [foo('1')], expect: { by: 'store', of: 1 } },
        { expect: { by: 'store', of: 2 } },
      ],
    },
    {
      title: 'stores no more variants than the route allows, and drops the oldest',
      route: 'fewVariants',
      exchanges: [
        variant('1'),
        { ...variant('2'), after: 1 },
        { ...variant('3'), after: 1 },
        { fields: [foo('3')], expect: { by: 'store', of: 3 } },
        { fields: [foo('2')], expect: { by: 'store', of: 2 } },
        { fields: [foo('1')] },
      ],
    },
    {
      title: 'uses the most recent, by Date, of several responses that match',
      exchanges: [
        { fields: [foo('1'), ['Bar', 'a']], origin: { fields: [hour, ['Vary', 'Foo']] } },
        { fields: [foo('2'), ['Bar', 'a']], after: 10, origin: { fields: [hour, ['Vary', 'Bar']] } },
        { fields: [foo('1'), ['Bar', 'a']], after: 10, expect: { by: 'store', of: 2 } },
      ],
    },
    {
      title: 'does not use the order of arrival where Date says which one is more recent',
      exchanges: [
        { fields: [foo('1'), ['Bar', 'a']], origin: { fields: [hour, ['Vary', 'Foo']] } },
        {
          fields: [foo('2'), ['Bar', 'a']],
          after: 10,
          origin: { fields: [hour, ['Vary', 'Bar'], ['Date', httpDate(-1_000)]] },
        },
        { fields: [foo('1'), ['Bar', 'a']], after: 10, expect: { by: 'store', of: 1 } },
      ],
    },
    {
      title: 'uses the most recent response although one that varies, and matches, is there',
      exchanges: [
        variant('1'),
        { fields: [foo('2')], after: 10, origin: { fields: [hour] } },
        { fields: [foo('1')], after: 10, expect: { by: 'store', of: 2 } },
      ],
    },
    {
      title: 'replaces the response of a variant by a later one of it, and leaves the others',
      exchanges: [
        variant('1'),
        variant('2'),
        { ...variant('1'), fields: [foo('1'), cacheControl('no-cache')], after: 10 },
        { fields: [foo('1')], expect: { by: 'store', of: 3 } },
        { fields: [foo('2')], expect: { by: 'store', of: 2 } },
      ],
    },
    {
      title: 'validates a variant that is stale, and leaves the others',
      exchanges: [
        { ...variant('1'), origin: { fields: [cacheControl('max-age=60'), ['Vary', 'Foo'], ['ETag', '"1"']] } },
        {
          ...variant('2'),
          origin: { fields: [cacheControl('max-age=60'), ['Vary', 'Foo'], ['ETag', '"2"']] },
          after: 30,
        },
        {
          fields: [foo('1')],
          after: 31,
          origin: { fields: [cacheControl('max-age=60'), ['Vary', 'Foo'], ['ETag', '"1"']] },
          expect: { by: 'validation', of: 1, sent: { 'if-none-match': /"1"/, foo: '1' } },
        },
        { fields: [foo('2')], after: 1, expect: { by: 'store', of: 2 } },
        { fields: [foo('1')], after: 1, expect: { by: 'store', of: 1 } },
      ],
    },
    reuses('serves the stored Vary', {
      ...selected('1', '1'),
      expect: { fields: { vary: 'Foo' } },
    }),
    {
      title: 'answers HEAD from the variant that matches',
      exchanges: [
        variant('1'),
        { ...variant('2'), origin: { fields: [hour, ['Vary', 'Foo'], ['X-Variant', '2']] } },
        { method: 'HEAD', fields: [foo('2')], expect: { by: 'store', of: 2, fields: { 'x-variant': '2' } } },
        { method: 'HEAD', fields: [foo('4')] },
      ],
    },
  ]),

  ...under('RFC 9111 §2', [
    {
      title: 'treats another query as another target',
      exchanges: [{ path: '?a=1', origin: { fields: [hour] } }, { path: '?a=2' }, { path: '' }, { path: '?a=1&b=2' }],
    },
    {
      title: 'treats the same query as the same target',
      exchanges: [
        { path: '?a=1&b=%20', origin: { fields: [hour] } },
        { path: '?a=1&b=%20', expect: { by: 'store' } },
      ],
    },
    {
      title: 'treats parameters in another order as another target',
      exchanges: [{ path: '?a=1&b=2', origin: { fields: [hour] } }, { path: '?b=2&a=1' }],
    },
    {
      title: 'treats an empty query as another target than none',
      exchanges: [{ origin: { fields: [hour] } }, { path: '?' }],
    },
    {
      title: 'treats a path in another case as another target',
      exchanges: [{ path: '/a', origin: { fields: [hour] } }, { path: '/A' }],
    },
    {
      title: 'treats a slash at the end as another target',
      exchanges: [{ path: '/a', origin: { fields: [hour] } }, { path: '/a/' }],
    },
    {
      title: 'treats another host as another target',
      exchanges: [
        { host: 'one.test', origin: { fields: [hour] } },
        { host: 'two.test' },
        { host: 'one.test', expect: { by: 'store' } },
      ],
    },
    {
      title: 'treats another port as another target',
      exchanges: [{ host: 'one.test:8080', origin: { fields: [hour] } }, { host: 'one.test:8081' }],
    },
    {
      title: 'treats a host in capitals as the same host',
      exchanges: [
        { host: 'one.test', origin: { fields: [hour] } },
        { host: 'ONE.test', expect: { by: 'store' } },
      ],
    },
    {
      title: 'treats another X-Forwarded-Host, by which origins generate links, as another target',
      exchanges: [
        { fields: [['X-Forwarded-Host', 'evil.test']], origin: { fields: [hour] } },
        { fields: [['X-Forwarded-Host', 'other.test']] },
        { fields: [['X-Forwarded-Host', 'evil.test']], expect: { by: 'store' } },
      ],
    },
  ]),
]

function variant(value: string): Exchange {
  return { fields: [foo(value)], origin: { fields: [hour, ['Vary', 'Foo']] } }
}
