import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import proxyCache, { type ProxyCachePolicy, type ProxyCacheRouteOptions } from '../../../plugins/proxy-cache/index.js'
import type { World } from './run.js'

// Applications with a proxy cache in front of an origin that obeys HTTP: its responses depend on the target URI and on the request
// fields that it names in `Vary`. Where it answers credentials without naming them, it says nothing that lets a cache store that.

export interface ProxyConfiguration {
  readonly policy: ProxyCachePolicy
  readonly route: ProxyCachePolicy & Pick<ProxyCacheRouteOptions, 'ttlSeconds' | 'heuristicFraction'>
  readonly vary: readonly (keyof typeof variations)[]
  readonly bypass: boolean
  readonly tags: boolean
  readonly guard: 'none' | 'onRequest' | 'preHandler'
  readonly origin: Origin
}

interface Origin {
  /** Request fields that its responses depend on, and that `Vary` names. */
  readonly reads: readonly string[]
  readonly control: string | undefined
  readonly isPersonal: boolean
  readonly setsCookies: boolean
  readonly validator: 'none' | 'etag' | 'last-modified'
  /** Whether it has a cache of its own, which states an age. */
  readonly ageSeconds: number | undefined
}

const variations = {
  'x-tenant': 'X-Tenant',
  'x-region': { name: 'x-region', normalise: (value) => value?.toUpperCase() },
} satisfies Record<string, NonNullable<ProxyCacheRouteOptions['vary']>[number]>

const keysOf = <Name extends string>(record: Readonly<Record<Name, unknown>>) => Object.keys(record) as Name[]
const sometimes = fc.constantFrom(false, false, true)
const policy: fc.Arbitrary<ProxyCachePolicy> = fc.record(
  {
    staleWhileRevalidateSeconds: fc.constantFrom(10, 60),
    staleIfErrorSeconds: fc.constant(100),
    honorRequestCacheControl: fc.boolean(),
    maxBodyBytes: fc.constantFrom(10, ...Array(9).fill(1_000_000)),
    maxVariants: fc.constantFrom(1, 16),
  },
  { requiredKeys: [] },
)
const readable = [
  ...['x-tenant', 'x-region', 'accept', 'accept-language', 'origin', 'cookie', 'user-agent', 'hx-request', 'referer'],
]

export const arbitraryProxy: fc.Arbitrary<ProxyConfiguration> = fc.record({
  policy,
  route: fc
    .tuple(
      policy,
      fc.record({ ttlSeconds: fc.constantFrom(30, 1), heuristicFraction: fc.constant(0.1) }, { requiredKeys: [] }),
    )
    .map(([some, lifetimes]) => ({ ...some, ...lifetimes })),
  vary: fc.subarray(keysOf(variations)),
  bypass: sometimes,
  tags: fc.boolean(),
  guard: fc.constantFrom('none', 'none', 'none', 'onRequest', 'preHandler'),
  origin: fc.record({
    reads: fc.shuffledSubarray(readable, { maxLength: 3 }),
    control: fc.constantFrom(
      ...['max-age=60', 'public, max-age=60', 's-maxage=30', 'max-age=20, stale-while-revalidate=30', 'max-age=1'],
      ...[
        'max-age=20, stale-if-error=100',
        'private',
        'no-store',
        'no-cache',
        'max-age=60, must-revalidate',
        undefined,
      ],
    ),
    isPersonal: sometimes,
    setsCookies: fc.constantFrom(false, false, false, false, true),
    validator: fc.constantFrom('none', 'etag', 'last-modified'),
    ageSeconds: fc.constantFrom(undefined, undefined, undefined, 5),
  }),
})

/** An application with this configuration. */
export async function buildProxy(
  configuration: ProxyConfiguration,
  { now, isDown, ...bounds }: World,
): Promise<FastifyInstance> {
  const { policy, route, vary, bypass, tags, guard, origin } = configuration
  const app = Fastify()
  await app.register(proxyCache, { ...policy, now, ...bounds })
  if (guard !== 'none') {
    app.addHook(guard, async (request: FastifyRequest, reply: FastifyReply) =>
      request.headers['x-office'] === 'no' ? reply.code(403).send('not from there') : undefined,
    )
  }
  const options: ProxyCacheRouteOptions = {
    ...route,
    vary: vary.map((name) => variations[name]),
    ...(bypass ? { bypass: ({ headers }: FastifyRequest) => headers['x-preview'] } : {}),
    ...(tags ? { tags: ({ url }: FastifyRequest) => [`path:${url.replace(/\W/g, '_').slice(0, 40)}`] } : {}),
  }
  // Fields of the option `vary` are in the key: the origin may depend on them without a word.
  const reads = [...origin.reads, ...vary]
  for (const url of ['/x', '/x/:id', '/w/*']) {
    app.get(url, { config: { proxyCache: options } }, async (request, reply) => {
      await nextTurn()
      return answer({ ...origin, reads }, request, reply, isDown())
    })
  }
  await app.ready()
  return app
}

const modifiedAt = 'Mon, 09 Mar 2026 12:00:00 GMT'

/** What the origin sends. */
function answer(origin: Origin, request: FastifyRequest, reply: FastifyReply, isDown: boolean): FastifyReply {
  const { headers } = request
  const { fail, gone } = request.query as Record<string, unknown> // as Fastify parses it
  if (isDown || fail === '1') return reply.code(503).send('the origin is down')
  const { reads, control, ageSeconds, setsCookies, isPersonal } = origin
  const names = [...new Set(reads)].sort()
  const fields = Object.fromEntries(names.map((name) => [name, headers[name]]))
  const user = isPersonal ? headers.authorization : undefined
  const isUnknown = isPersonal && user === undefined
  const body = JSON.stringify({ url: request.url, host: headers.host?.toLowerCase(), fields, user })
  const status = isUnknown ? 401 : gone === '1' ? 404 : 200
  if (names.length > 0) reply.header('vary', names.join(', '))
  // It states nothing that allows others to have the response of a user. RFC 9111 §3.5.
  if (control !== undefined && !isUnknown) reply.header('cache-control', isPersonal ? personal(control) : control)
  if (ageSeconds !== undefined) reply.header('age', ageSeconds)
  if (setsCookies) reply.header('set-cookie', `visitor=${headers['x-client'] ?? 'unknown'}`)
  if (origin.validator === 'last-modified' && status === 200) reply.header('last-modified', modifiedAt)
  if (origin.validator === 'etag' && status === 200) {
    const tag = `"${Buffer.from(body).toString('base64url').slice(0, 400)}"`
    reply.header('etag', tag)
    if (headers['if-none-match'] === tag) return reply.code(304).send()
  }
  return reply.code(status).type('application/json').send(body)
}

function personal(control: string): string {
  return control.replace(/public, |s-maxage=\d+|, must-revalidate/g, '') || 'private'
}
