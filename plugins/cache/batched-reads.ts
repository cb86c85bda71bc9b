/** Asks Redis for the strings under these keys, in one command. */
type Ask = (keys: readonly string[]) => Promise<readonly (string | null)[]>

export interface BatchedReadsOptions {
  readonly ask: Ask
  /** Keys that one command may ask for. */
  readonly mostKeys: number
}

/** Characters that one reply may have, as far as can be told: the first values are to be had while the last are on their way. */
const mostCharacters = 2 ** 16
/** How much one value counts in the average of all. */
const weight = 1 / 16

/**
 * Reads that are asked for in one turn of the event loop go to Redis in as few commands as their size allows: a command costs this process
 * more than a short value does. None waits for anything but the end of the turn.
 */
export class BatchedReads {
  readonly #options: BatchedReadsOptions
  #asked: Asked[] = []
  /** Length of the values that were read lately. */
  #average = mostCharacters

  constructor(options: BatchedReadsOptions) {
    this.#options = options
  }

  /** The string under the key, `null` when there is none; rejects as the command does. */
  get(key: string): Promise<string | null> {
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

  #ask(some: readonly Asked[]): void {
    const answer = (values: readonly (string | null)[]) => {
      for (const [index, { resolve }] of some.entries()) {
        const value = values[index] ?? null
        if (value !== null) this.#average += (value.length - this.#average) * weight
        resolve(value)
      }
    }
    const refuse = (error: unknown) => {
      for (const { reject } of some) reject(error)
    }
    this.#options.ask(some.map(({ key }) => key)).then(answer, refuse)
  }
}

interface Asked {
  readonly key: string
  readonly resolve: (value: string | null) => void
  readonly reject: (reason: unknown) => void
}
