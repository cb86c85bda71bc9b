// What the types promise to those who use the HTTP caches. Checked by `npm run typecheck`, with our compiler and with TypeScript 5:
// a line marked as an error that compiles is an error itself. Nothing here runs.
import type { FastifyInstance } from 'fastify'
import edge, { type EdgeOptions, type EdgeRouteOptions, type EdgeStats } from 'fastify-vitrine/edge'
import proxyCache, {
  type ProxyCacheOptions,
  type ProxyCacheRouteOptions,
  type ProxyCacheStats,
} from 'fastify-vitrine/proxy-cache'

declare const app: FastifyInstance
const handler = async () => 'text'

export async function accepted(): Promise<void> {
  const edgeOptions: EdgeOptions = { ttlSeconds: 60, browserTtlSeconds: 5, tagHeader: 'Cache-Tag' }
  await app.register(edge, edgeOptions)
  const proxyCacheOptions: ProxyCacheOptions = { staleIfErrorSeconds: 60, shared: true, tagHeader: false }
  await app.register(proxyCache, proxyCacheOptions)
  app.get('/', { config: { edge: false, proxyCache: false } }, handler)
  const normalise = (value: string | undefined) => value?.toLowerCase()
  app.get('/own', { config: { edge: { ignoreCredentials: true, vary: ['x-a', { name: 'x-b', normalise }] } } }, handler)
  app.get('/forwards', { config: { proxyCache: { heuristicFraction: 0.1, tags: ({ url }) => [url] } } }, handler)
  const [own, forwarded]: [EdgeStats, ProxyCacheStats] = [app.edge.stats(), app.proxyCache.stats()]
  void [own.requests.hit, forwarded.memory.bytes]
}

export async function refused(): Promise<void> {
  // @ts-expect-error a lifetime says its unit
  const unit: EdgeRouteOptions = { ttl: 60 }
  // @ts-expect-error only the proxy cache has a shared store
  const shared: EdgeRouteOptions = { shared: true }
  // @ts-expect-error there is no switch between the two
  const switched: EdgeRouteOptions = { forwards: true }
  // @ts-expect-error the proxy cache masks nothing
  const masked: ProxyCacheRouteOptions = { ignoreCredentials: true }
  // @ts-expect-error a field of tags that no cache knows
  const tagged: EdgeOptions = { tagHeader: 'X-Tags' }
  // @ts-expect-error only a route has a lifetime for responses that state none
  await app.register(proxyCache, { ttlSeconds: 60 })
  // @ts-expect-error a value of another type
  app.get('/', { config: { proxyCache: { ttlSeconds: '60' } } }, handler)
  void [unit, shared, switched, masked, tagged]
}
