import type { Cache, Made } from '../cache/index.js'

/** What is read from the cache while a handler runs: from when the request is passed on to it until somebody wants to know. */
export class Collecting {
  readonly #cache: Cache
  readonly #ended: Promise<void>
  #end: () => void = () => undefined
  #collected: Promise<{ readonly made: Made }> | undefined

  constructor(cache: Cache) {
    this.#cache = cache
    this.#ended = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  /** Passes the request on. */
  run(pass: () => void): void {
    this.#collected = this.#cache.collect(() => {
      pass()
      return this.#ended
    })
  }

  /** Ends it, and tells what has been read. */
  async made(): Promise<Made | undefined> {
    this.#end()
    await null // a handler that answers at once does so while the request is still being passed on
    return (await this.#collected)?.made
  }

  end(): void {
    this.#end()
  }
}
