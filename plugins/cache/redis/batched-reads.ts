export interface BatchedReadsOptions<T> {
  /** Asks Redis for one string. */
  readonly askOne: (key: string) => Promise<string | null>
  /** Asks Redis for several with one command. */
  readonly askMany: (keys: readonly string[]) => Promise<readonly (string | null)[]>
  /** Keys that one command may ask for; 1 where there is no such command. */
  readonly mostKeys: number
  /** What a string, or that there is none, means; may throw. */
  readonly decode: (text: string | null) => T | Promise<T>
}

/** Characters that one reply may have, as far as can be told: the first values are to be had while the last are on their way. */
const mostCharacters = 2 ** 16
/** How much one value counts in the average of all. */
const weight = 1 / 16

/**
 * Reads that are asked for in one turn of the event loop go to Redis in as few commands as their size allows: a command
 * costs this process more than a short value does. None waits for anything but the end of the turn.
 */
export class BatchedReads<T> {
  readonly #options: BatchedReadsOptions<T>
  #asked: Asked<T>[] = []
  /** Length of the values that were read lately. */
  #average = mostCharacters

  constructor(options: BatchedReadsOptions<T>) {
    this.#options = options
  }

  /** What lies under the key; rejects as the command does, or the decoding. */
  get(key: string): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#asked.length === 0) process.nextTick(() => this.#send())
      this.#asked.push({ key, resolve, reject })
    })
  }

  #send(): void {
    const asked = this.#asked
    this.#asked = []
    const width = Math.min(this.#options.mostKeys, Math.max(1, Math.floor(mostCharacters / this.#average)))
    for (let at = 0; at < asked.length; at += width) this.#ask(asked.slice(at, at + width))
  }

  #ask(some: readonly Asked<T>[]): void {
    const refuse = (error: unknown) => {
      for (const { reject } of some) reject(error)
    }
    const [first] = some
    if (first !== undefined && some.length === 1) {
      this.#options.askOne(first.key).then((text) => this.#answer(first, text), refuse)
      return
    }
    const answer = (texts: readonly (string | null)[]) => {
      for (const [index, one] of some.entries()) this.#answer(one, texts[index] ?? null)
    }
    this.#options.askMany(some.map(({ key }) => key)).then(answer, refuse)
  }

  #answer({ resolve, reject }: Asked<T>, text: string | null): void {
    if (text !== null) this.#average += (text.length - this.#average) * weight
    try {
      resolve(this.#options.decode(text))
    } catch (error) {
      reject(error)
    }
  }
}

interface Asked<T> {
  readonly key: string
  readonly resolve: (value: T | Promise<T>) => void
  readonly reject: (reason: unknown) => void
}
