import { type Duplex, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import zlib from 'node:zlib'
import type { Dispatcher } from 'undici'
import { UpstreamEncoding, UpstreamTooLarge } from './errors.js'

type Response = Pick<Dispatcher.ResponseData, 'headers' | 'body'>

/** RFC 9110 §8.4.1, RFC 7932, RFC 8878. */
const decoders: ReadonlyMap<string, () => Duplex> = new Map([
  ['gzip', () => zlib.createGunzip()],
  ['x-gzip', () => zlib.createGunzip()],
  ['deflate', () => zlib.createInflate()],
  ['br', () => zlib.createBrotliDecompress()],
  ...zstandard(),
])

/** Node.js has it from 22.15 on; our types are those of Node.js 20. */
function zstandard(): [string, () => Duplex][] {
  const create: unknown = Reflect.get(zlib, 'createZstdDecompress')
  return typeof create === 'function' ? [['zstd', () => create()]] : []
}

/**
 * The decoded body. At most one content coding is decoded: a chain of codings could expand without bound between two of
 * them. Rejects with `UpstreamTooLarge` as soon as more than `maxBytes` were received or decoded, and with
 * `UpstreamEncoding` for another coding or a body that is not in the stated one.
 */
export async function readBody(path: string, response: Response, maxBytes: number): Promise<Buffer> {
  const { headers, body } = response
  const coding = codingOf(headers)
  const createDecoder = decoders.get(coding)
  const isTooLong = Number(headers['content-length']) > maxBytes
  if (isTooLong || (coding !== '' && createDecoder === undefined)) {
    await body.dump({ limit: maxBytes }) // closes the connection if the stated length is over the limit
    if (isTooLong) throw tooLarge(path, maxBytes)
    throw new UpstreamEncoding(path, `unsupported content coding ${JSON.stringify(coding.slice(0, maxNameLength))}`)
  }
  let isExceeded = false
  try {
    if (createDecoder === undefined) return await collect(bounded(body))
    const received = Readable.from(bounded(body))
    return await pipeline(received, createDecoder(), (decoded: AsyncIterable<Buffer>) => collect(bounded(decoded)))
  } catch (error) {
    // The pipeline reports the abort of the other streams instead.
    if (isExceeded) throw tooLarge(path, maxBytes)
    if (isDecodingError(error)) throw new UpstreamEncoding(path, `invalid ${coding} data`, { cause: error })
    throw error
  }

  async function* bounded(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let bytes = 0
    for await (const chunk of chunks) {
      bytes += chunk.length
      isExceeded ||= bytes > maxBytes
      if (isExceeded) throw tooLarge(path, maxBytes)
      yield chunk
    }
  }
}

/** For messages. A coding is a token of the upstream, of any length. */
const maxNameLength = 40

/** In lower case; empty for none. Several codings are one name, which no decoder has. */
function codingOf(headers: Response['headers']): string {
  const codings = String(headers['content-encoding'] ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
  return codings.filter((name) => name !== '' && name !== 'identity').join(', ')
}

async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = []
  for await (const chunk of chunks) all.push(chunk)
  return Buffer.concat(all)
}

/** Errors of `zlib` have a number besides their code: of zlib, Brotli or Zstandard. */
function isDecodingError(error: unknown): boolean {
  return error instanceof Error && 'errno' in error && 'code' in error && /^(?:Z_|ERR_|ZSTD_)/i.test(String(error.code))
}

function tooLarge(path: string, maxBytes: number): Error {
  return new UpstreamTooLarge(path, `more than ${maxBytes} bytes`)
}
