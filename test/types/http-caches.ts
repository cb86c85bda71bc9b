// The types of the HTTP caches as their users see them. `npm run typecheck` checks them with the compiler of the repository and
// with TypeScript 5. A line that is marked as an error and compiles is an error. Nothing here runs.
import type { FastifyInstance } from 'fastify'
import edge, {
  type EdgeOptions,
  type EdgeRouteOptions,
  type EdgeStats,
  type ResponsePurgeResult,
} from 'fastify-vitrine/edge'
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
  const purged: ResponsePurgeResult = await app.edge.purge({ paths: ['/own', '/own/*'], tags: ['a'] })
  const { removed }: { removed: number } = await app.proxyCache.purge({ all: true })
  void [own.requests.hit, forwarded.memory.bytes, purged.removed, removed]
}

export async function refused(): Promise<void> {
  // @ts-expect-error a lifetime names its unit
  const unit: EdgeRouteOptions = { ttl: 60 }
  // @ts-expect-error only the proxy cache has a shared store
  const shared: EdgeRouteOptions = { shared: true }
  // @ts-expect-error an edge route has no option to forward
  const switched: EdgeRouteOptions = { forwards: true }
  // @ts-expect-error the proxy cache masks nothing
  const masked: ProxyCacheRouteOptions = { ignoreCredentials: true }
  // @ts-expect-error an unknown tag field
  const tagged: EdgeOptions = { tagHeader: 'X-Tags' }
  // @ts-expect-error the plugin has no default lifetime, only a route
  await app.register(proxyCache, { ttlSeconds: 60 })
  // @ts-expect-error a value of the wrong type
  app.get('/', { config: { proxyCache: { ttlSeconds: '60' } } }, handler)
  // @ts-expect-error responses are purged by path, not by URL
  await app.edge.purge({ urls: ['/own'] })
  void [unit, shared, switched, masked, tagged]
}
