import type { IncomingMessage } from 'node:http'
import type { FuncKeywordDefinition } from 'ajv'
import type { DataValidationCxt } from 'ajv/dist/types/index.js'
import fc from 'fast-check'
import Fastify, { type FastifyInstance, type FastifyRequest, type RouteOptions } from 'fastify'
import edge, { type EdgePolicy, type EdgeRouteOptions } from '../../../plugins/edge/index.js'
import { createHandler, type EdgeHandler, handlerKinds } from './edge-handlers.js'
import { type EdgePlugin, edgePlugins, exclusivePlugins, laterGuards } from './edge-plugins.js'
import type { World } from './run.js'

// Applications with an edge: random options, plugins in a random order, random handlers.

/** The options of the routes by name, because functions cannot be printed. */
export interface EdgeConfiguration {
  readonly server: {
    readonly trustsProxy: boolean
    readonly readsRequestId: boolean
    readonly rewritesUrl: boolean
    readonly isLenient: boolean
  }
  readonly policy: EdgePolicy
  readonly route: EdgePolicy
  readonly vary: readonly (keyof typeof variations)[]
  readonly unkeyedHeaders: readonly string[]
  readonly bypass: boolean
  readonly ignoreCredentials: boolean
  readonly acknowledgeSkippedHooks: boolean
  readonly tags: keyof typeof tagOptions
  readonly schema: keyof typeof schemas
  /** Whether there is a second route with the same path for another version. */
  readonly isVersioned: boolean
  readonly before: readonly EdgePlugin[]
  readonly after: readonly EdgePlugin[]
  readonly handler: EdgeHandler
}

const upper = (value: string | undefined) => value?.toUpperCase()
const variations = {
  'x-tenant': 'X-Tenant',
  'x-region': { name: 'x-region', normalise: upper },
  'accept-language': { name: 'Accept-Language', normalise: (value) => (value?.startsWith('fr') ? 'fr' : 'en') },
  accept: 'accept',
  host: 'Host',
  'x-forwarded-proto': 'x-forwarded-proto',
  'theme cookie': { name: 'cookie', normalise: (value = '') => /theme=\w+/.exec(value)?.[0] },
} satisfies Record<string, NonNullable<EdgeRouteOptions['vary']>[number]>

const pageOf = ({ query }: FastifyRequest) => String(Reflect.get(Object(query), 'page')).replace(/\W/g, '_')
const tagOptions = {
  none: undefined,
  list: ['sellers'],
  function: (request: FastifyRequest) => [`page:${pageOf(request)}`],
} satisfies Record<string, EdgeRouteOptions['tags']>

const text = { type: 'string' }
const properties = { page: { type: 'integer', default: 1 }, q: text, fail: text, gone: text }
const schemas = {
  none: {},
  listed: { querystring: { type: 'object', properties } },
  'with a list': {
    querystring: { type: 'object', properties: { ...properties, tag: { type: 'array', items: text } } },
  },
  closed: { querystring: { type: 'object', properties, additionalProperties: false } },
  open: { querystring: { type: 'object', properties, additionalProperties: { type: 'string' } } },
  'by pattern': { querystring: { type: 'object', properties, patternProperties: { '^utm_': text } } },
  referenced: { querystring: { $ref: 'query#' } },
  intersected: {
    querystring: {
      allOf: [
        { type: 'object', properties },
        { type: 'object', properties: { tag: {} } },
      ],
    },
  },
  transformed: {
    querystring: {
      type: 'object',
      properties: { ...properties, q: { type: 'string', lowerCase: true } },
    },
  },
  'of headers': {
    querystring: { type: 'object', properties },
    headers: { type: 'object', properties: { 'x-page': { type: 'integer' }, 'x-client': { type: 'string' } } },
  },
} satisfies Record<string, RouteOptions['schema']>

/** A keyword that changes what it validates. */
const lowerCase: FuncKeywordDefinition = {
  keyword: 'lowerCase',
  type: 'string',
  modifying: true,
  validate: (_schema: unknown, value: string, _parent: unknown, at?: DataValidationCxt) => {
    if (at !== undefined) at.parentData[at.parentDataProperty] = value.toLowerCase()
    return true
  },
}

const keysOf = <Name extends string>(record: Readonly<Record<Name, unknown>>) => Object.keys(record) as Name[]
const sometimes = fc.constantFrom(false, false, true)
const seldom = fc.constantFrom(false, false, false, false, true)
const policy: fc.Arbitrary<EdgePolicy> = fc.record(
  {
    staleWhileRevalidateSeconds: fc.constantFrom(10, 60),
    staleIfErrorSeconds: fc.constant(100),
    browserTtlSeconds: fc.constantFrom(0, 5),
    compress: fc.boolean(),
    maxBodyBytes: fc.constantFrom(10, ...Array(9).fill(1_000_000)),
    maxVariants: fc.constantFrom(1, 16),
  },
  { requiredKeys: [] },
)
const ttl = fc.record({ ttlSeconds: fc.constantFrom(30, 30, 1, 0.5) })
const handlerFields = fc.oneof(
  { weight: 12, arbitrary: fc.constant({}) },
  ...[
    { 'cache-control': 'public, max-age=60' },
    { 'cache-control': 'max-age=20, stale-while-revalidate=30' },
    { 'cache-control': 'private' },
    { 'cache-control': 'no-store' },
    { 'cache-control': 'max-age=60, private="set-cookie"', 'set-cookie': 'sid=1' },
    { 'cdn-cache-control': 'max-age=60' },
    { 'set-cookie': 'sid=1' },
    { vary: 'X-Tenant' },
    { vary: 'Accept-Language, Origin' },
    { vary: '*' },
    { etag: 'W/"fixed"', vary: 'X-Region' },
  ].map((fields) => ({ weight: 1, arbitrary: fc.constant(fields) })),
)

const handler: fc.Arbitrary<EdgeHandler> = fc.record({
  kind: fc.constantFrom(...handlerKinds),
  negotiates: sometimes,
  fields: handlerFields as fc.Arbitrary<Record<string, string>>, // the members have different names
  readsIdentity: fc.boolean(),
  isLong: sometimes,
})

export const arbitraryEdge: fc.Arbitrary<EdgeConfiguration> = fc
  .record({
    server: fc.record({ trustsProxy: sometimes, readsRequestId: sometimes, rewritesUrl: seldom, isLenient: seldom }),
    policy: fc.tuple(policy, ttl).map(([some, lifetime]) => ({ ...some, ...lifetime })),
    route: policy,
    vary: fc.subarray(keysOf(variations), { maxLength: 3 }),
    unkeyedHeaders: fc.subarray(['traceparent', 'x-long', 'user-agent'], { maxLength: 2 }),
    bypass: sometimes,
    ignoreCredentials: fc.boolean(),
    acknowledgeSkippedHooks: sometimes,
    tags: fc.constantFrom(...keysOf(tagOptions)),
    schema: fc.constantFrom(...keysOf(schemas)),
    isVersioned: seldom,
    plugins: fc.shuffledSubarray(keysOf(edgePlugins), { maxLength: 4 }),
    split: fc.nat(5),
    handler,
  })
  .map(({ plugins, split, ...others }) => {
    const isAllowed = (name: EdgePlugin, at: number) =>
      !(others.acknowledgeSkippedHooks && laterGuards.includes(name)) &&
      !(exclusivePlugins.includes(name) && plugins.slice(0, at).some((other) => exclusivePlugins.includes(other)))
    const allowed = plugins.filter(isAllowed)
    const vary = others.vary.filter((name) => name !== 'theme cookie' || others.ignoreCredentials)
    return { ...others, vary, before: allowed.slice(0, split), after: allowed.slice(split) }
  })

/** An application with this configuration. */
export async function buildEdge(
  configuration: EdgeConfiguration,
  { now, isDown, ...bounds }: World,
): Promise<FastifyInstance> {
  const { server, before, after, isVersioned, schema } = configuration
  const app = Fastify({
    trustProxy: server.trustsProxy,
    requestIdHeader: server.readsRequestId ? 'x-request-id' : false,
    rewriteUrl: ({ url = '/' }: IncomingMessage) => (server.rewritesUrl ? url.replace(/^\/t\/\w+/, '') : url),
    routerOptions: { ignoreTrailingSlash: server.isLenient, caseSensitive: !server.isLenient },
    ajv: { customOptions: { keywords: [lowerCase] } },
  })
  app.addSchema({ $id: 'query', type: 'object', properties })
  for (const name of before) await edgePlugins[name](app)
  await app.register(edge, { ...configuration.policy, now, ...bounds })
  for (const name of after) await edgePlugins[name](app)
  const options = optionsOf(configuration)
  const unread = configuration.unkeyedHeaders
  const { handler } = configuration
  for (const url of ['/x', '/x/:id', '/w/*']) {
    const config = { edge: options }
    app.get(url, { config, schema: schemas[schema] }, createHandler({ label: url, handler, unread, isDown }))
    if (!isVersioned) continue
    const constraints = { version: '1.0.0' }
    const labelled = { label: `version 1 of ${url}`, handler, unread, isDown }
    app.get(url, { config, constraints, schema: schemas[schema] }, createHandler(labelled))
  }
  await app.ready()
  return app
}

function optionsOf(configuration: EdgeConfiguration): EdgeRouteOptions {
  const { route, vary, unkeyedHeaders, bypass, ignoreCredentials, acknowledgeSkippedHooks, tags } = configuration
  const tagOption = tagOptions[tags]
  return {
    ...route,
    vary: vary.map((name) => variations[name]),
    unkeyedHeaders,
    ignoreCredentials,
    acknowledgeSkippedHooks,
    ...(bypass ? { bypass: ({ headers }) => headers['x-preview'] } : {}),
    ...(tagOption === undefined ? {} : { tags: tagOption }),
  }
}
