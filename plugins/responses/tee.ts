import { Readable } from 'node:stream'
import { concatExactly, exactBytes } from '../http/exact-bytes.js'
import type { BufferBudget } from './buffer-budget.js'

export interface TeeOptions {
  readonly maxBytes: number
  /** What all streams together may hold for readers and for the store. */
  readonly budget: BufferBudget
  /** How long the source is still read after the reader has left. */
  readonly detachedTimeoutMs: number
  /** Called with the complete body, before the reader sees the end. */
  readonly onComplete: (body: Buffer) => Promise<void>
  /** Called when the source fails, or exceeds `maxBytes` or the budget. */
  readonly onAbandoned: () => void
}

/** Approximate size of a chunk without its bytes: sources may send many small ones. */
const chunkOverheadBytes = 256

/**
 * Passes a stream on and collects its bytes. What the reader has not read, and what is collected, counts in the budget. A slow reader does not delay the collecting up to `maxBytes` and the budget; beyond them, the
 * reader sets the pace. When the reader leaves, the source is still read to its end.
 */
export function tee(source: Readable, options: TeeOptions): Readable {
  return new Tee(source, options)
}

class Tee extends Readable {
  readonly #source: Readable
  readonly #options: TeeOptions
  /** All chunks while they are collected, after that those for the reader. It receives the same ones, from `#position` on. */
  #chunks: Buffer[] = []
  #position = 0
  #isCollecting = true
  #isComplete = false
  #isRequested = false
  #bytes = 0
  #takenBytes = 0
  #detached: NodeJS.Timeout | undefined

  constructor(source: Readable, options: TeeOptions) {
    super()
    this.#source = source
    this.#options = options
    source.on('data', (chunk: Buffer | string) => this.#add(chunk))
    source.on('end', () => this.#end())
    source.on('error', (error) => this.destroy(error))
    source.on('close', () => this.#close())
  }

  override _read(): void {
    this.#isRequested = true
    this.#pass()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.#isCollecting) {
      this.#source.destroy()
      this.#chunks = []
      this.#keep(0)
    } else if (!this.#source.readableEnded) {
      this.#detached = setTimeout(() => this.#source.destroy(), this.#options.detachedTimeoutMs).unref()
    }
    callback(error)
  }

  #add(chunk: Buffer | string): void {
    const { maxBytes, budget } = this.#options
    this.#bytes += Buffer.byteLength(chunk)
    if (this.#isCollecting) {
      // A copy, because the chunk may be a slice of a larger buffer, or be written to again.
      const copy = exactBytes(chunk)
      const taken = copy.length + chunkOverheadBytes
      if (this.#bytes <= maxBytes && budget.take(taken)) this.#takenBytes += taken
      else this.#abandon()
      this.#chunks.push(copy)
    } else if (!this.destroyed) {
      this.#chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
    }
    if (this.destroyed) {
      if (!this.#isCollecting) this.#source.destroy()
      return
    }
    this.#pass()
    if (!this.#isCollecting && !this.#isRequested) this.#source.pause()
  }

  /** Gives the reader what it requests. */
  #pass(): void {
    while (this.#isRequested && this.#position < this.#chunks.length) {
      const chunk = this.#chunks[this.#position]
      this.#position += 1
      this.#isRequested = this.push(chunk)
    }
    if (this.#isCollecting) {
      this.#source.resume()
      return
    }
    this.#dropPassed()
    if (this.#chunks.length > 0) return
    if (this.#isComplete) this.push(null)
    else if (this.#isRequested) this.#source.resume()
  }

  #dropPassed(): void {
    this.#chunks.splice(0, this.#position)
    this.#position = 0
    if (this.#takenBytes > 0) {
      this.#keep(this.#chunks.reduce((sum, chunk) => sum + chunk.length + chunkOverheadBytes, 0))
    }
  }

  /** Of the bytes taken from the budget, keeps at most so many. */
  #keep(bytes: number): void {
    const released = Math.max(0, this.#takenBytes - bytes)
    this.#takenBytes -= released
    this.#options.budget.release(released)
  }

  #abandon(): void {
    if (!this.#isCollecting) return
    this.#isCollecting = false
    if (this.destroyed) this.#chunks = []
    this.#dropPassed()
    this.#options.onAbandoned()
  }

  #end(): void {
    clearTimeout(this.#detached)
    const end = () => {
      this.#isComplete = true
      if (!this.destroyed) this.#pass()
    }
    if (!this.#isCollecting) {
      end()
      return
    }
    const body = concatExactly(this.#chunks)
    this.#isCollecting = false
    if (this.destroyed) this.#chunks = []
    this.#dropPassed()
    this.#options.onComplete(body).then(end, end)
  }

  #close(): void {
    clearTimeout(this.#detached)
    if (this.#source.readableEnded) return
    this.#abandon()
    if (!this.destroyed) this.destroy(this.#source.errored ?? new Error('the response ended prematurely'))
  }
}
