import Fastify from 'fastify'
import t from 'tap'
import edge from '../../../plugins/edge/index.js'
import proxyCache from '../../../plugins/proxy-cache/index.js'
import {
  type ProxyCacheOptions,
  type ProxyCacheRouteOptions,
  resolveOptions,
  resolveRoute,
} from '../../../plugins/proxy-cache/options.js'

t.test('an invalid option is refused at registration, by its name', async (t) => {
  const invalid: readonly (readonly [string, unknown])[] = [
    ['name', 'two words'],
    ['name', ''],
    ['tagHeader', 'X-Tags'],
    ['now', 5],
    ['maxMemoryBytes', 0],
    ['collapseTimeoutMs', Number.NaN],
    ['staleIfErrorSeconds', -1],
    ['shared', 1],
    ['ttlSecond', 5],
    ['vary', ['accept']],
  ]
  for (const [name, value] of invalid) {
    const options = { [name]: value } as ProxyCacheOptions // invalid on purpose
    t.throws(() => resolveOptions(options), { code: 'VITRINE_PROXY_CACHE_OPTION', message: new RegExp(name) })
  }
})

t.test('an invalid option of a route is refused at registration, by its name', async (t) => {
  const invalid: readonly (readonly [string, unknown])[] = [
    ['ttlSeconds', Number.POSITIVE_INFINITY],
    ['staleWhileRevalidateSeconds', -1],
    ['staleIfErrorSeconds', '1'],
    ['heuristicFraction', 2],
    ['maxBodyBytes', -1],
    ['maxVariants', 0],
    ['tags', 'sellers'],
    ['tags', ['two words']],
    ['vary', ['not a name']],
    ['vary', ['*']],
    ['vary', 'x-tenant'],
    ['vary', [null]],
    ['vary', [undefined]],
    ['vary', [5]],
    ['vary', [{}]],
    ['bypass', true],
    ['acknowledgeSkippedHooks', 'yes'],
    ['shared', 1],
    ['honorRequestCacheControl', 1],
    ['forwards', 'yes'],
    ['ttlSecond', 5],
    ['maxMemoryBytes', 5],
  ]
  for (const [name, value] of invalid) {
    const options = { [name]: value } as ProxyCacheRouteOptions // invalid on purpose
    t.throws(() => resolveRoute(options, {}), { code: 'VITRINE_PROXY_CACHE_OPTION', message: new RegExp(name) })
  }
})

t.test('config.proxyCache is an object of options, or false', async (t) => {
  for (const value of [null, true, 60, 'on', [], [{}]]) {
    const options = value as unknown as ProxyCacheRouteOptions // invalid on purpose
    t.throws(() => resolveRoute(options, {}), { code: 'VITRINE_PROXY_CACHE_OPTION', message: /config\.proxyCache/ })
  }
})

t.test('options of the edge are refused with the plugin to use instead', async (t) => {
  for (const [name, value] of [
    ['ignoreCredentials', true],
    ['unkeyedHeaders', ['traceparent']],
    ['browserTtlSeconds', 5],
    ['compress', true],
  ] as const) {
    const expected = { code: 'VITRINE_PROXY_CACHE_OPTION', message: /use fastify-vitrine\/edge and config\.edge/ }
    t.throws(() => resolveRoute({ [name]: value }, {}), expected, name)
    t.throws(() => resolveOptions({ [name]: value }), expected, name)
  }
})

t.test('only a route has a lifetime for responses that state none', async (t) => {
  for (const name of ['ttlSeconds', 'heuristicFraction']) {
    t.throws(() => resolveOptions({ [name]: 1 }), {
      code: 'VITRINE_PROXY_CACHE_OPTION',
      message: new RegExp(`${name} is an option of a route: write it in config\\.proxyCache`),
    })
  }
  t.match(resolveRoute({}, {}), {
    freshness: { ttlSeconds: undefined, heuristicFraction: 0 },
    honorsRequestCacheControl: true,
  })
  t.match(resolveRoute({ ttlSeconds: 2, maxVariants: 4 }, { maxVariants: 3 }), {
    freshness: { ttlSeconds: 2 },
    maxVariants: 4,
  })
})

t.test('a route has one HTTP cache', async (t) => {
  for (const plugins of [[edge], [proxyCache], [edge, proxyCache]] as const) {
    const app = Fastify()
    t.teardown(() => app.close())
    for (const plugin of plugins) await app.register(plugin)
    const config = { edge: { ttlSeconds: 60 }, proxyCache: {} }
    t.throws(() => app.get('/x', { config }, async () => 'x'), {
      code: /^VITRINE_(?:EDGE|PROXY_CACHE)_OPTION$/,
      message: /GET \/x: config\.edge and config\.proxyCache exclude each other/,
    })
    t.doesNotThrow(() => app.get('/y', { config: { ...config, edge: false } }, async () => 'y'))
  }
})
