import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import t from 'tap'
import { acceptedCodings, encode, isCompressible, normaliseAcceptEncoding } from '../../../plugins/http/encoding.js'

t.test('negotiation selects the best coding that the client accepts (RFC 9110 §12.5.3)', async (t) => {
  const cases = [
    [undefined, []],
    ['', []],
    ['identity', []],
    ['gzip', ['gzip']],
    ['x-gzip', ['gzip']],
    ['br', ['br']],
    ['gzip, deflate, br, zstd', ['br', 'gzip']],
    ['br;q=0.5, gzip;q=0.8', ['gzip', 'br']],
    ['br;q=0, gzip', ['gzip']],
    ['*', ['br', 'gzip']],
    ['*;q=0, gzip', ['gzip']],
    ['GZIP; Q=1', ['gzip']],
    ['gzip;q=x', []],
    ['deflate', []],
  ] as const
  for (const [field, codings] of cases) t.strictSame(acceptedCodings(field), codings, String(field))
})

t.test('all values that accept the same codings have one spelling', async (t) => {
  const cases = [
    ['gzip, deflate, br, zstd', 'br, gzip, deflate, zstd'],
    ['gzip;q=0.1', 'gzip'],
    ['br;q=0.5,  GZIP;q=0.8,', 'br, gzip'],
    ['x-gzip, compress, aws-chunked', 'gzip'],
    ['*', 'br, gzip, deflate, zstd'],
    ['*, br;q=0', 'gzip, deflate, zstd'],
    ['gzip, identity;q=0', 'gzip, identity;q=0'],
    ['gzip, *;q=0', 'gzip, identity;q=0'],
    ['gzip, identity;q=0.5, *;q=0', 'gzip'],
    ['', 'identity'],
    ['identity', 'identity'],
    ['identity;q=0', 'identity;q=0'],
  ] as const
  for (const [field, normalised] of cases) t.equal(normaliseAcceptEncoding(field), normalised, field)
})

t.test('a value that is too long to be parsed accepts no encoding', async (t) => {
  const long = 'gzip, br;q=0.1, '.repeat(100)
  t.strictSame(acceptedCodings(long), [])
  t.equal(normaliseAcceptEncoding(long), 'identity')
})

t.test('text above a minimum size is compressed, unless it is encoded or no-transform forbids it', async (t) => {
  const body = Buffer.alloc(1_024)
  const type = (value: string) => ({ 'content-type': value })
  for (const value of ['text/html; charset=utf-8', 'application/json', 'application/problem+json', 'image/svg+xml']) {
    t.ok(isCompressible(200, type(value), body), value)
  }
  for (const value of ['image/png', 'text/event-stream', 'application/octet-stream']) {
    t.notOk(isCompressible(200, type(value), body), value)
  }
  t.notOk(isCompressible(200, {}, body))
  t.notOk(isCompressible(404, type('text/html'), body))
  t.notOk(isCompressible(200, type('text/html'), body.subarray(1)))
  t.notOk(isCompressible(200, { ...type('text/html'), 'content-encoding': 'gzip' }, body))
  t.notOk(isCompressible(200, { ...type('text/html'), 'cache-control': 'max-age=1, No-Transform' }, body))
})

t.test('each coding decodes to the original bytes', async (t) => {
  const body = Buffer.from('seller '.repeat(500))
  t.ok(gunzipSync(await encode('gzip', body)).equals(body))
  t.ok(brotliDecompressSync(await encode('br', body)).equals(body))
})
