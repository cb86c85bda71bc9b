import type { Cache, Dependencies } from '../cache/index.js'

/** Tracks what is read from `fastify.cache` while a handler runs. */
export class HandlerDependencies {
  readonly #cache: Cache
  readonly #ended: Promise<void>
  #end: () => void = () => undefined
  readonly #answered: Promise<void>
  #answer: () => void = () => undefined
  #resume: (work: () => void) => void = (work) => work()
  #untilEnd: Promise<{ readonly dependencies: Dependencies }> | undefined
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

  /** Runs the hooks or the handler. */
  run(next: () => void): void {
    this.#untilEnd = this.#cache.track(() => {
      this.#untilAnswer = this.#cache.track(() => {
        this.#resume = this.#cache.bindTrackers()
        next()
        return this.#answered
      })
      return this.#ended
    })
  }

  /** Runs the handler after hooks that were tracked: one of them may have continued in another, untracked asynchronous context. */
  resume(next: () => void): void {
    this.#resume(next)
  }

  /** The reads before the first call. A stream may read more until its end. */
  async readUntilAnswer(): Promise<Dependencies | undefined> {
    this.#answer()
    await null // as below
    return (await this.#untilAnswer)?.dependencies
  }

  /** Ends the tracking; gives all reads. */
  async readUntilEnd(): Promise<Dependencies | undefined> {
    this.end()
    await null // a synchronous handler answers while `run` is still on the stack
    return (await this.#untilEnd)?.dependencies
  }

  end(): void {
    this.#answer()
    this.#end()
  }
}
