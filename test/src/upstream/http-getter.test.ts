import { Readable } from 'node:stream'
import zlib from 'node:zlib'
import t, { type Test } from 'tap'
import { startTimer } from '../../../src/upstream/abort-scope.js'
import { createHttpGetter, type HttpGetter, type HttpGetterOptions } from '../../../src/upstream/http-getter.js'
import { limits } from '../../../src/upstream/limits.js'
import { type Fault, startUpstream, type Upstream } from '../../harness/upstream.js'

const amply = 60_000

async function open(
  t: Test,
  options: Partial<HttpGetterOptions> = {},
): Promise<{ upstream: Upstream; getter: HttpGetter; get: () => Promise<string> }> {
  const upstream = await startUpstream()
  const getter = createHttpGetter({
    ...limits,
    url: upstream.url,
    timeoutMs: amply,
    startTimer,
    monotonicNow: () => 0,
    ...options,
  })
  t.after(async () => {
    await getter.destroy()
    await upstream.close()
  })
  const { signal } = new AbortController()
  const query = { page: 1, name: 'a b' }
  return {
    upstream,
    getter,
    get: async () => (await getter.get('/sellers', query, { signal, headers: {} }, 1)).toString(),
  }
}

const json = JSON.stringify({ items: [], note: 'é'.repeat(100) })

const codings: { title: string; coding: string | undefined; body: Buffer }[] = [
  { title: 'none', coding: undefined, body: Buffer.from(json) },
  { title: 'an empty field', coding: '', body: Buffer.from(json) },
  { title: 'identity', coding: 'identity', body: Buffer.from(json) },
  { title: 'gzip', coding: 'gzip', body: zlib.gzipSync(json) },
  { title: 'gzip in capitals', coding: 'GZIP', body: zlib.gzipSync(json) },
  { title: 'x-gzip', coding: 'x-gzip', body: zlib.gzipSync(json) },
  { title: 'gzip with identity', coding: 'identity, gzip', body: zlib.gzipSync(json) },
  { title: 'deflate', coding: 'deflate', body: zlib.deflateSync(json) },
  { title: 'br', coding: 'br', body: zlib.brotliCompressSync(json) },
]

for (const { title, coding, body } of codings) {
  t.test(`decodes a body that the upstream encoded whatever was requested: ${title}`, async (t) => {
    const { upstream, get } = await open(t)
    const headers = coding === undefined ? {} : { 'content-encoding': coding }
    upstream.fail({ body, headers })
    t.equal(await get(), json, 'with a length')
    upstream.fail(() => ({ body: Readable.from([body.subarray(0, 9), body.subarray(9)]), headers }))
    t.equal(await get(), json, 'in chunks')
  })
}

t.test('decodes zstd where Node.js can', async (t) => {
  const compress: unknown = Reflect.get(zlib, 'zstdCompressSync')
  const { upstream, get } = await open(t)
  if (typeof compress === 'function') {
    upstream.fail({ body: compress(Buffer.from(json)), headers: { 'content-encoding': 'zstd' } })
    t.equal(await get(), json)
    upstream.fail({ body: 'not zstd', headers: { 'content-encoding': 'zstd' } })
    await t.rejects(get(), { code: 'VITRINE_UPSTREAM_ENCODING', message: /invalid zstd data$/ })
  } else {
    upstream.fail({ body: 'any', headers: { 'content-encoding': 'zstd' } })
    await t.rejects(get(), { code: 'VITRINE_UPSTREAM_ENCODING', message: /unsupported content coding "zstd"$/ })
  }
})

t.test('requests gzip', async (t) => {
  const { upstream, get } = await open(t)
  upstream.fail({ body: json })
  await get()
  t.equal(upstream.requests[0]?.headers['accept-encoding'], 'gzip')
})

const zip = zlib.gzipSync(json)
const undecodable: { title: string; fault: Fault; message: RegExp }[] = [
  {
    title: 'a coding that is not supported',
    fault: { body: 'x', headers: { 'content-encoding': 'aws-chunked' } },
    message: /^Upstream response for \/sellers cannot be decoded: unsupported content coding "aws-chunked"$/,
  },
  {
    title: 'two codings',
    fault: { body: zlib.gzipSync(zip), headers: { 'content-encoding': 'gzip, gzip' } },
    message: /unsupported content coding "gzip, gzip"$/,
  },
  {
    title: 'a coding with a long name',
    fault: { body: 'x', headers: { 'content-encoding': 'x'.repeat(5_000) } },
    message: /unsupported content coding "x{40}"$/,
  },
  {
    title: 'a body that is not in its coding',
    fault: { body: json, headers: { 'content-encoding': 'gzip' } },
    message: /: invalid gzip data$/,
  },
  {
    title: 'a body that is not in its coding, with br',
    fault: { body: '<html>', headers: { 'content-encoding': 'br' } },
    message: /: invalid br data$/,
  },
  {
    title: 'an encoded body that ends early',
    fault: { body: zip.subarray(0, 20), headers: { 'content-encoding': 'gzip' } },
    message: /: invalid gzip data$/,
  },
]
for (const { title, fault, message } of undecodable) {
  t.test(`${title} is an error with a code`, async (t) => {
    const { upstream, get } = await open(t)
    upstream.fail(fault)
    await t.rejects(get(), { code: 'VITRINE_UPSTREAM_ENCODING', statusCode: 502, message })
    upstream.fail({ body: json })
    t.equal(await get(), json, 'the next call succeeds')
  })
}

t.test('an encoded body that the connection cuts off is unreachable', async (t) => {
  const { upstream, get } = await open(t)
  upstream.fail({ body: zip, headers: { 'content-encoding': 'gzip' }, destroy: 'half way' })
  await t.rejects(get(), { code: 'VITRINE_UPSTREAM_UNREACHABLE' })
})

t.test('maxBodyBytes counts decoded bytes', async (t) => {
  const text = 'x'.repeat(10_000)
  const body = zlib.gzipSync(text)
  const headers = { 'content-encoding': 'gzip' }
  const exact = await open(t, { maxBodyBytes: 10_000 })
  exact.upstream.fail({ body, headers })
  t.equal((await exact.get()).length, 10_000)
  const less = await open(t, { maxBodyBytes: 9_999 })
  less.upstream.fail({ body, headers })
  await t.rejects(less.get(), { code: 'VITRINE_UPSTREAM_TOO_LARGE', message: /more than 9999 bytes$/ })
})

t.test('a compression bomb is aborted before it is received', async (t) => {
  const { upstream, get } = await open(t, { maxBodyBytes: 1_000_000 })
  const zeros = Buffer.alloc(1_000_000)
  const bomb = Readable.from(endless(zeros)).pipe(zlib.createGzip())
  upstream.fail({ body: bomb, headers: { 'content-encoding': 'gzip' } })
  await t.rejects(get(), { code: 'VITRINE_UPSTREAM_TOO_LARGE' })
  t.equal(await upstream.requests[0]?.answered, false)
})

t.test('maxBodyBytes counts received bytes too: an encoded body may be longer than what it decodes to', async (t) => {
  const { upstream, get } = await open(t, { maxBodyBytes: 10_000 })
  const empty = zlib.gzipSync('') // gzip members follow one another
  upstream.fail(() => ({ body: Readable.from(endless(empty)), headers: { 'content-encoding': 'gzip' } }))
  await t.rejects(get(), { code: 'VITRINE_UPSTREAM_TOO_LARGE' })
  t.equal(await upstream.requests[0]?.answered, false)
})

function* endless(chunk: Buffer) {
  while (true) yield chunk
}

for (const status of [301, 302, 303, 307, 308]) {
  t.test(`follows a redirect with status ${status} within the origin, with the token`, async (t) => {
    const { upstream, get } = await open(t, { token: 'top-secret' })
    upstream.fail(({ path }) =>
      path === '/sellers' ? { status, headers: { location: '/v2/sellers?page=1&name=a+b' } } : { body: json },
    )
    t.equal(await get(), json)
    t.match(upstream.requests, [
      { path: '/sellers', query: { page: '1', name: 'a b' } },
      { path: '/v2/sellers', query: { page: '1', name: 'a b' }, headers: { authorization: 'Bearer top-secret' } },
    ])
  })
}

t.test('a location may be absolute, or relative to the path', async (t) => {
  const { upstream, get } = await open(t)
  upstream.fail(({ path }) => {
    if (path === '/sellers') return { status: 307, headers: { location: `${upstream.url}/a/b#fragment` } }
    return path === '/a/b' ? { status: 307, headers: { location: 'c' } } : { body: json }
  })
  t.equal(await get(), json)
  t.strictSame(
    upstream.requests.map(({ path }) => path),
    ['/sellers', '/a/b', '/a/c'],
  )
})

t.test('a redirect to another origin is refused, so that the token does not leave the origin', async (t) => {
  const other = await startUpstream()
  t.after(() => other.close())
  const { upstream, get } = await open(t, { token: 'top-secret' })
  const { port } = new URL(upstream.url)
  for (const location of [
    `${other.url}/sellers`,
    `//127.0.0.1:${new URL(other.url).port}/sellers`,
    `https://127.0.0.1:${port}/sellers`,
    `http://localhost:${port}/sellers`,
    'javascript:alert(1)',
  ]) {
    upstream.fail({ status: 302, headers: { location } })
    await t.rejects(
      get(),
      { code: 'VITRINE_UPSTREAM_REDIRECT', message: 'Upstream redirected /sellers to another origin' },
      location,
    )
  }
  t.equal(other.requests.length, 0)
})

t.test('a redirect loop ends', async (t) => {
  const { upstream, get } = await open(t, { maxRedirects: 3 })
  upstream.fail({ status: 302, headers: { location: '/sellers' } })
  await t.rejects(get(), {
    code: 'VITRINE_UPSTREAM_REDIRECT',
    statusCode: 502,
    message: 'Upstream redirected /sellers more than 3 times',
  })
  t.equal(upstream.requests.length, 4)
})

for (const headers of [{}, { location: 'http://[' }]) {
  t.test(`a redirect with ${JSON.stringify(headers)} is reported by its status`, async (t) => {
    const { upstream, get } = await open(t)
    upstream.fail({ status: 301, headers })
    await t.rejects(get(), { code: 'VITRINE_UPSTREAM_STATUS', upstreamStatus: 301 })
  })
}
