import { Readable } from 'node:stream'
import { concatExactly } from '../http/exact-bytes.js'

export interface TeeOptions {
  readonly maxBytes: number
  /** How long the source is still read after the reader has left. */
  readonly detachedTimeoutMs: number
  /** Called with the complete body, before the reader sees the end. */
  readonly onComplete: (body: Buffer) => Promise<void>
  /** Called when the source fails or exceeds `maxBytes`. */
  readonly onAbandoned: () => void
}

/**
 * Passes a stream on and collects its bytes. A slow reader does not delay the collecting up to `maxBytes`; beyond it, the reader sets the
 * pace. When the reader leaves, the source is still read to its end.
 */
export function tee(source: Readable, { maxBytes, detachedTimeoutMs, onComplete, onAbandoned }: TeeOptions): Readable {
  let chunks: Buffer[] | undefined = []
  let bytes = 0
  let detached: NodeJS.Timeout | undefined
  const passed = new Readable({
    read: () => source.resume(),
    destroy(error, callback) {
      if (chunks === undefined) source.destroy()
      else if (!source.readableEnded) detached = setTimeout(() => source.destroy(), detachedTimeoutMs).unref()
      callback(error)
    },
  })
  const abandon = () => {
    if (chunks === undefined) return
    chunks = undefined
    onAbandoned()
  }
  source.on('data', (chunk: Buffer | string) => {
    const data = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    bytes += data.length
    if (bytes > maxBytes) abandon()
    chunks?.push(Buffer.from(data))
    if (passed.destroyed) {
      if (chunks === undefined) source.destroy()
    } else if (!passed.push(data) && chunks === undefined) source.pause()
  })
  source.on('end', () => {
    clearTimeout(detached)
    const collected = chunks
    chunks = undefined
    const end = () => passed.push(null)
    if (collected === undefined) end()
    else onComplete(concatExactly(collected)).then(end, end)
  })
  source.on('error', (error) => passed.destroy(error))
  source.on('close', () => {
    clearTimeout(detached)
    if (source.readableEnded) return
    abandon()
    if (!passed.destroyed) passed.destroy(source.errored ?? new Error('the response ended prematurely'))
  })
  return passed
}
