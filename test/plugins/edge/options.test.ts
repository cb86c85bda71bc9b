import t from 'tap'
import { type EdgeOptions, type EdgeRouteOptions, resolveOptions, resolveRoute } from '../../../plugins/edge/options.js'

t.test('an invalid option is refused at registration, by its name', async (t) => {
  const wrong: readonly (readonly [string, unknown])[] = [
    ['name', 'two words'],
    ['name', ''],
    ['tagHeader', 'X-Tags'],
    ['now', 5],
    ['maxMemoryBytes', 0],
    ['collapseTimeoutMs', Number.NaN],
    ['ttlSeconds', -1],
    ['browserTtlSeconds', '5'],
    ['ttlSecond', 5],
    ['vary', ['accept']],
  ]
  for (const [name, value] of wrong) {
    const options = { [name]: value } as EdgeOptions // invalid on purpose
    t.throws(() => resolveOptions(options), { code: 'VITRINE_EDGE_OPTION', message: new RegExp(name) })
  }
})

t.test('an invalid option of a route is refused at registration, by its name', async (t) => {
  const wrong: readonly (readonly [string, unknown])[] = [
    ['ttlSeconds', Number.POSITIVE_INFINITY],
    ['staleWhileRevalidateSeconds', -1],
    ['staleIfErrorSeconds', '1'],
    ['maxBodyBytes', -1],
    ['maxVariants', 0],
    ['tags', 'sellers'],
    ['tags', ['two words']],
    ['tags', ['*']],
    ['vary', ['not a name']],
    ['vary', ['*']],
    ['vary', 'x-tenant'],
    ['vary', [null]],
    ['vary', [undefined]],
    ['vary', [5]],
    ['vary', [{}]],
    ['unkeyedHeaders', 'traceparent'],
    ['unkeyedHeaders', ['']],
    ['unkeyedProperties', 'id'],
    ['unkeyedProperties', [5]],
    ['maskedProperties', 'user'],
    ['maskedProperties', ['']],
    ['maskedProperties', ['id']],
    ['maskedProperties', ['headers']],
    ['bypass', true],
    ['ignoreCredentials', 1],
    ['acknowledgeSkippedHooks', 'yes'],
    ['compress', 1],
    ['ttlSecond', 5],
    ['maxMemoryBytes', 5],
  ]
  for (const [name, value] of wrong) {
    const options = { [name]: value } as EdgeRouteOptions // invalid on purpose
    t.throws(() => resolveRoute(options, {}), { code: 'VITRINE_EDGE_OPTION', message: new RegExp(name) })
  }
})

t.test('config.edge is an object of options, or false', async (t) => {
  for (const value of [null, true, 60, 'on', [], [{}]]) {
    const options = value as unknown as EdgeRouteOptions // invalid on purpose
    t.throws(() => resolveRoute(options, {}), { code: 'VITRINE_EDGE_OPTION', message: /config\.edge/ })
  }
})

t.test('options of the proxy cache are refused with the plugin to use instead', async (t) => {
  for (const [name, value] of [
    ['forwards', true],
    ['forwards', false],
    ['heuristicFraction', 0.1],
    ['honorRequestCacheControl', true],
    ['shared', true],
  ] as const) {
    const expected = { code: 'VITRINE_EDGE_OPTION', message: /use fastify-vitrine\/proxy-cache and config\.proxyCache/ }
    t.throws(() => resolveRoute({ [name]: value }, {}), expected, name)
    t.throws(() => resolveOptions({ [name]: value }), expected, name)
  }
})

t.test('a route has the defaults of the registration', async (t) => {
  t.match(resolveRoute({}, {}), { freshness: { ttlSeconds: undefined }, bypassesCredentials: true, compress: true })
  t.match(resolveRoute({ ttlSeconds: 1 }, {}), { freshness: { ttlSeconds: 1 } })
  t.match(resolveRoute({}, { ttlSeconds: 1 }), { freshness: { ttlSeconds: 1 } })
  t.match(resolveRoute({ ignoreCredentials: true }, {}), { bypassesCredentials: false })
})

t.test('options of a route take precedence over those of the registration', async (t) => {
  t.match(resolveRoute({ ttlSeconds: 2 }, { ttlSeconds: 1, maxVariants: 3 }), {
    freshness: { ttlSeconds: 2 },
    maxVariants: 3,
  })
})

t.test('the masked properties of a route are its own list or the default, without those that it may read', (t) => {
  const user = { name: 'cookie', normalise: () => 'a' }
  for (const [options, masked] of [
    [{}, []],
    [{ maskedProperties: ['user'] }, []],
    [{ ignoreCredentials: true }, ['session', 'user', 'cookies']],
    [{ ignoreCredentials: true, maskedProperties: [] }, []],
    [{ ignoreCredentials: true, maskedProperties: ['account', 'account'] }, ['account']],
    [{ ignoreCredentials: true, unkeyedProperties: ['id', 'user'] }, ['session', 'cookies']],
    [{ ignoreCredentials: true, vary: [user] }, ['session', 'user']],
  ] as const) {
    t.strictSame(resolveRoute(options, {}).maskedProperties, masked)
  }
  t.strictSame(resolveRoute({ ignoreCredentials: true }, { maskedProperties: ['member'] }).maskedProperties, ['member'])
  t.end()
})
