import type { Cache, Dependencies } from '../cache/index.js'

/** What is read from the cache while a handler runs: from when the request is passed on to it until somebody wants to know. */
export class Collecting {
  readonly #cache: Cache
  readonly #ended: Promise<void>
  #end: () => void = () => undefined
  readonly #answered: Promise<void>
  #answer: () => void = () => undefined
  #resume: (work: () => void) => void = (work) => work()
  #collected: Promise<{ readonly dependencies: Dependencies }> | undefined
  #untilAnswer: Promise<{ readonly dependencies: Dependencies }> | undefined

  constructor(cache: Cache) {
    this.#cache = cache
    this.#ended = new Promise((resolve) => {
      this.#end = resolve
    })
    this.#answered = new Promise((resolve) => {
      this.#answer = resolve
    })
  }

  /** Passes the request on. */
  run(pass: () => void): void {
    this.#collected = this.#cache.track(() => {
      this.#untilAnswer = this.#cache.track(() => {
        this.#resume = this.#cache.bindTrackers()
        pass()
        return this.#answered
      })
      return this.#ended
    })
  }

  /** Passes the request on once more: a hook may have gone on in another asynchronous context, which is not collected. */
  resume(pass: () => void): void {
    this.#resume(pass)
  }

  /** Tells what has been read before the first call. A stream may read more, until the end. */
  async madeUntilAnswer(): Promise<Dependencies | undefined> {
    this.#answer()
    await null // as below
    return (await this.#untilAnswer)?.dependencies
  }

  /** Ends it, and tells what has been read. */
  async made(): Promise<Dependencies | undefined> {
    this.end()
    await null // a handler that answers at once does so while the request is still being passed on
    return (await this.#collected)?.dependencies
  }

  end(): void {
    this.#answer()
    this.#end()
  }
}
