import { readdir, readFile } from 'node:fs/promises'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv } from 'ajv'
import t, { type Test } from 'tap'
import { buildApp } from '../../../src/app.js'
import { readConfig } from '../../../src/config/environment.js'
import { startDemoMarketplace } from '../../../src/demo/marketplace.js'
import { readExamples } from '../../../src/docs/add-examples.js'
import type { JsonObject } from '../../../src/docs/document.js'
import { hoistSchemas } from '../../../src/docs/hoist-schemas.js'
import { recordExamples } from '../../harness/api-examples.js'
import { startApp } from '../../harness/app.js'
import { type Fault, makeSellers } from '../../harness/upstream.js'

// The API description for tools. api.test.ts checks that responses match it.

interface Answer {
  description: string
  headers?: Record<string, { description: string; example?: unknown }>
  content?: Record<
    string,
    { schema: { $ref?: string }; examples?: Record<string, { summary: string; value: unknown }> }
  >
}

interface Operation {
  operationId?: string
  description?: string
  security?: unknown
  requestBody?: { content: Record<string, { schema: { $ref: string } }> }
  responses: Record<string, Answer>
}

interface Description {
  info: { description: string }
  paths: Record<string, { get?: Operation; post?: Operation }>
  components: { schemas: Record<string, { required?: string[] }>; securitySchemes: Record<string, unknown> }
}

const lists = ['/api/v1/sellers', '/api/v1/sellers/{seller_id}/catalogs']

/** With a token, so that the purge route is described. */
async function describe(t: Test): Promise<Description> {
  const { app } = await startApp(t, { environment: { PURGE_TOKEN: 'secret' } })
  return (await app.inject('/docs/json')).json()
}

t.test('the description is valid OpenAPI', async (t) => {
  const description = await describe(t)
  const { valid, errors } = await new Validator().validate({ ...description })
  t.ok(valid, JSON.stringify(errors))
})

t.test('every schema of the API has a name and is defined once', async (t) => {
  const { components, paths } = await describe(t)
  const names = [
    'Catalog',
    'CatalogListing',
    'Health',
    'Problem',
    'Purge',
    'Purged',
    'Readiness',
    'Seller',
    'SellerListing',
  ]
  t.strictSame(Object.keys(components.schemas).sort(), names)
  t.equal(
    paths[lists[0] ?? '']?.get?.responses[200]?.content?.['application/json']?.schema.$ref,
    '#/components/schemas/SellerListing',
  )
  for (const path of lists) {
    const { responses = {} } = paths[path]?.get ?? {}
    for (const status of ['400', '429', '502', '503', '504']) {
      t.strictSame(responses[status]?.content?.['application/problem+json']?.schema, {
        $ref: '#/components/schemas/Problem',
      })
    }
  }
})

t.test('two different schemas with one title throw', async (t) => {
  const answer = (schema: JsonObject) => ({
    get: { responses: { 200: { content: { 'application/json': { schema } } } } },
  })
  const document = (...schemas: JsonObject[]) => ({
    paths: Object.fromEntries(schemas.map((schema, index) => [`/${index}`, answer(schema)])),
  })
  t.throws(
    () => hoistSchemas(document({ title: 'Place', type: 'object' }, { title: 'Place', type: 'array' })),
    /two .* Place/,
  )
  const same: JsonObject = document({ title: 'Place', type: 'object' }, { title: 'Place', type: 'object' })
  hoistSchemas(same)
  t.strictSame(same.components, { schemas: { Place: { title: 'Place', type: 'object' } } })
})

t.test('the purge route requires the bearer token, and the lists require none', async (t) => {
  const { components, paths } = await describe(t)
  t.strictSame(paths['/ops/cache/purge']?.post?.security, [{ operator: [] }])
  t.match(components.securitySchemes, { operator: { type: 'http', scheme: 'bearer' } })
  for (const path of lists) t.equal(paths[path]?.get?.security, undefined)
})

t.test('properties with a default are optional for clients', async (t) => {
  const { components, paths } = await describe(t)
  t.match(paths['/ops/cache/purge']?.post?.requestBody, {
    content: { 'application/json': { schema: { $ref: /\/Purge$/ } } },
  })
  t.equal(components.schemas.Purge?.required, undefined)
  t.strictSame(components.schemas.Purged?.required, ['purged', 'queued', 'hard'], 'in responses they are required')
})

t.test('each response of a list is described with its headers', async (t) => {
  const limited = { RATE_LIMIT_MAX: '7' }
  const patient = await startApp(t, { environment: limited, upstream: { sellers: makeSellers(3) } })
  const impatient = await startApp(t, { environment: { ...limited, UPSTREAM_TIMEOUT_MS: '20' } })
  const { app } = patient
  const { paths } = (await app.inject('/docs/json')).json<Description>()
  const { responses = {} } = paths['/api/v1/sellers']?.get ?? {}
  const { etag } = (await app.inject('/api/v1/sellers')).headers
  const ways: [status: number, url: string, fault?: Fault][] = [
    [200, '/api/v1/sellers'],
    [304, '/api/v1/sellers'],
    [400, '/api/v1/sellers?page=0'],
    [502, '/api/v1/sellers?name=a', { status: 500 }],
    [503, '/api/v1/sellers?name=b', { destroy: 'at once' }],
    [504, '/api/v1/sellers?name=c', { hang: 'at once' }],
    [429, '/api/v1/sellers'],
  ]
  t.strictSame(Object.keys(responses), ways.map(([status]) => String(status)).sort())
  for (const [status, url, fault] of ways) {
    const { app, upstream } = fault?.hang === undefined ? patient : impatient
    if (fault !== undefined) upstream.fail(fault)
    const response = await app.inject({ url, headers: status === 304 ? { 'if-none-match': String(etag) } : {} })
    t.equal(response.statusCode, status)
    const { headers = {}, description } = responses[status] ?? {}
    t.not(description, 'Default Response')
    t.ok('x-request-id' in headers)
    for (const [name, header] of Object.entries(headers)) {
      t.ok(header.description, name)
      t.ok(name.toLowerCase() in response.headers, `a ${status} has ${name}`)
    }
    for (const name of ['link', 'etag', 'age', 'retry-after']) {
      const isDescribed = Object.keys(headers).some((described) => described.toLowerCase() === name)
      t.equal(isDescribed, name in response.headers, `${name} of a ${status}`)
    }
  }
})

t.test('the guide lists every error code', async (t) => {
  const { info } = await describe(t)
  const all = (await readdir('src', { recursive: true })).filter((file) => file.endsWith('.ts'))
  const files = all.filter((file) => file !== 'config/start-error.ts') // start-up errors are not sent to clients
  const sources = await Promise.all(files.map((file) => readFile(`src/${file}`, 'utf8')))
  // The purge route describes its own code, and those of the plugins are not sent to clients.
  const codes = new Set(
    sources.flatMap((source) => source.match(/(?<=')VITRINE_(?!UNAUTHORIZED|EDGE|CACHE)[A-Z_]+(?=')/g) ?? []),
  )
  t.ok(codes.size > 5)
  for (const code of codes) t.ok(info.description.includes(`\`${code}\``), code)
})

t.test('the examples match the responses of the application: `npm run docs:examples` updates them', async (t) => {
  const timeoutMs = 30 // instead of the two seconds of the recorded examples
  const recorded = JSON.stringify(await recordExamples({ upstreamTimeoutMs: timeoutMs }))
  const answered = recorded.replaceAll(`within ${timeoutMs} ms`, 'within 2000 ms')
  t.strictSame(withoutTiming(answered), withoutTiming(JSON.stringify(readExamples())))
})

/** Without values that depend on the speed of the machine. */
function withoutTiming(recorded: string): unknown {
  return JSON.parse(recorded.replaceAll(/"Retry-After":[56]\d,/g, '').replaceAll(/retry in [^"]+/g, 'retry'))
}

t.test('the README shows a response of the demo', async (t) => {
  const readme = await readFile('README.md', 'utf8')
  const [, path = '', shown] =
    /curl -si 'http:\/\/127\.0\.0\.1:3000(\S+)' .*\n```\n\n```text\n([^`]+)\n```/.exec(readme) ?? []
  const marketplace = await startDemoMarketplace({ latencyMs: 0 })
  t.teardown(() => marketplace.close())
  const app = await buildApp({ config: readConfig({}), upstreamUrl: marketplace.url })
  t.teardown(() => app.close())
  const { headers, body } = await app.inject(path)
  t.equal(shown, `link: ${headers.link}\netag: ${headers.etag}\n${body}`)
})

t.test('every response with a body has examples that match its schema', async (t) => {
  const { components, paths } = await describe(t)
  const ajv = new Ajv({ strict: false, validateFormats: false })
  for (const path of lists) {
    for (const [status, { content = {} }] of Object.entries(paths[path]?.get?.responses ?? {})) {
      for (const { schema, examples = {} } of Object.values(content)) {
        t.ok(Object.keys(examples).length > 0, `a ${status} of ${path}`)
        for (const [name, { summary, value }] of Object.entries(examples)) {
          const isAsDescribed = ajv.compile({ ...schema, components })
          isAsDescribed(value)
          t.same(isAsDescribed.errors, null, `${status} ${name}`)
          t.ok(summary)
        }
      }
    }
    const { headers, content } = paths[path]?.get?.responses[200] ?? {}
    t.match(headers, { Link: { example: /rel="next"/ }, ETag: { example: /^"/ }, Age: { example: Number } })
    t.match(content?.['application/json']?.examples, { stale: { value: { stale: true, as_of: /^2026-/ } } })
  }
})
