import { Readable } from 'node:stream'

export interface TeeOptions {
  /** Bytes that are gathered at most. */
  readonly maxBytes: number
  /** Milliseconds for which gathering goes on when nobody reads any more. */
  readonly detachedTimeoutMs: number
  /** It has ended, and this is all of it. Its reader hears of the end after that. */
  readonly onComplete: (body: Buffer) => Promise<void>
  /** It has broken off, or is more than may be gathered. */
  readonly onAbandoned: () => void
}

/**
 * Passes a stream on and gathers what passes. A reader that is slow does not hold up the gathering, which is bounded; beyond the
 * bound the reader sets the pace. When the reader goes away what is being gathered is still read to its end.
 */
export function tee(source: Readable, { maxBytes, detachedTimeoutMs, onComplete, onAbandoned }: TeeOptions): Readable {
  let chunks: Buffer[] | undefined = []
  let bytes = 0
  let alone: NodeJS.Timeout | undefined
  const passed = new Readable({
    read: () => source.resume(),
    destroy(error, callback) {
      if (chunks === undefined) source.destroy()
      else if (!source.readableEnded) alone = setTimeout(() => source.destroy(), detachedTimeoutMs).unref()
      callback(error)
    },
  })
  const giveUp = () => {
    if (chunks === undefined) return
    chunks = undefined
    onAbandoned()
  }
  source.on('data', (chunk: Buffer | string) => {
    const data = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    bytes += data.length
    if (bytes > maxBytes) giveUp()
    chunks?.push(Buffer.from(data))
    if (passed.destroyed) {
      if (chunks === undefined) source.destroy()
    } else if (!passed.push(data) && chunks === undefined) source.pause()
  })
  source.on('end', () => {
    clearTimeout(alone)
    const whole = chunks
    chunks = undefined
    const end = () => passed.push(null)
    if (whole === undefined) end()
    else onComplete(Buffer.concat(whole)).then(end, end)
  })
  source.on('error', (error) => passed.destroy(error))
  source.on('close', () => {
    clearTimeout(alone)
    if (source.readableEnded) return
    giveUp()
    if (!passed.destroyed) passed.destroy(source.errored ?? new Error('the response broke off'))
  })
  return passed
}
