export interface BatchedReadsOptions<T> {
  /** Reads one string from Redis. */
  readonly getOne: (key: string) => Promise<string | null>
  /** Reads several strings from Redis with one command. */
  readonly getMany: (keys: readonly string[]) => Promise<readonly (string | null)[]>
  /** Maximum number of keys in one command; 1 if `getMany` must not be used. */
  readonly maxKeys: number
  /** Decodes a string, or `null` for a missing key. May throw. */
  readonly decode: (text: string | null) => T | Promise<T>
}

/** Estimated maximum of characters in one reply. With larger ones the first value would wait for the last. */
const maxReplyCharacters = 2 ** 16
/** Weight of one value in the moving average of their lengths. */
const weight = 1 / 16

/**
 * Sends the reads of one turn of the event loop to Redis in as few commands as the size of the values allows: a command
 * costs this process more than a short value. A read waits for nothing but the end of the turn.
 */
export class BatchedReads<T> {
  readonly #options: BatchedReadsOptions<T>
  #pending: PendingRead<T>[] = []
  /** Moving average of the lengths of the values. */
  #averageLength = maxReplyCharacters

  constructor(options: BatchedReadsOptions<T>) {
    this.#options = options
  }

  /** The decoded value of the key. Rejects if the command or the decoding fails. */
  get(key: string): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#pending.length === 0) process.nextTick(() => this.#sendAll())
      this.#pending.push({ key, resolve, reject })
    })
  }

  #sendAll(): void {
    const reads = this.#pending
    this.#pending = []
    const fitting = Math.max(1, Math.floor(maxReplyCharacters / this.#averageLength))
    const size = Math.min(this.#options.maxKeys, fitting)
    for (let at = 0; at < reads.length; at += size) this.#send(reads.slice(at, at + size))
  }

  #send(reads: readonly PendingRead<T>[]): void {
    const fail = (error: unknown) => {
      for (const { reject } of reads) reject(error)
    }
    const [first] = reads
    if (first !== undefined && reads.length === 1) {
      this.#options.getOne(first.key).then((text) => this.#settle(first, text), fail)
      return
    }
    const settleAll = (texts: readonly (string | null)[]) => {
      for (const [index, read] of reads.entries()) this.#settle(read, texts[index] ?? null)
    }
    this.#options.getMany(reads.map(({ key }) => key)).then(settleAll, fail)
  }

  #settle({ resolve, reject }: PendingRead<T>, text: string | null): void {
    if (text !== null) this.#averageLength += (text.length - this.#averageLength) * weight
    try {
      resolve(this.#options.decode(text))
    } catch (error) {
      reject(error)
    }
  }
}

interface PendingRead<T> {
  readonly key: string
  readonly resolve: (value: T | Promise<T>) => void
  readonly reject: (reason: unknown) => void
}
