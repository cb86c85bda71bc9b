import type { Cache, Dependencies } from '../cache/index.js'

/** Milliseconds for which a handler and its stream may go on after the reply has closed. */
export const detachedTimeoutMs = 30_000

/** Tracks what is read from `fastify.cache` while a handler runs and its stream is read, also after the reply has closed. */
export class HandlerDependencies {
  readonly #cache: Cache
  readonly #timeoutMs: number
  readonly #ended: Promise<void>
  #end: () => void = () => undefined
  readonly #answered: Promise<void>
  #answer: () => void = () => undefined
  #resume: (work: () => void) => void = (work) => work()
  #untilEnd: Promise<{ readonly dependencies: Dependencies }> | undefined
  #untilAnswer: Promise<{ readonly dependencies: Dependencies }> | undefined
  #isStreaming = false
  #isOver = false
  #isAbandoned = false
  #timeout: NodeJS.Timeout | undefined

  constructor(cache: Cache, timeoutMs = detachedTimeoutMs) {
    this.#cache = cache
    this.#timeoutMs = timeoutMs
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
    this.#isStreaming = true
    this.#answer()
    await null // as below
    return this.#completed((await this.#untilAnswer)?.dependencies)
  }

  /** Ends the tracking; gives all reads. */
  async readUntilEnd(): Promise<Dependencies | undefined> {
    this.#stop()
    await null // a synchronous handler answers while `run` is still on the stack
    return this.#completed((await this.#untilEnd)?.dependencies)
  }

  /** Ends the tracking of a response that is not stored. */
  abandon(): void {
    if (this.#isOver) return
    this.#isAbandoned = true
    this.#stop()
  }

  /**
   * Call it when the reply has closed. The handler goes on if its client has left, and the stream of a background refresh or of a 304
   * is read although the reply is sent.
   */
  replyClosed({ isSent }: { readonly isSent: boolean }): void {
    if (isSent && !this.#isStreaming) this.abandon()
    else if (!this.#isOver) this.#timeout ??= setTimeout(() => this.abandon(), this.#timeoutMs).unref()
  }

  #stop(): void {
    this.#isOver = true
    clearTimeout(this.#timeout)
    this.#answer()
    this.#end()
  }

  /** Later reads are unknown if tracking was abandoned: the response must not be stored. */
  #completed(dependencies: Dependencies | undefined): Dependencies | undefined {
    return dependencies && this.#isAbandoned ? neverCurrent(dependencies) : dependencies
  }
}

function neverCurrent(dependencies: Dependencies): Dependencies {
  return {
    tags: dependencies.tags,
    freshForMs: 0,
    revalidateForMs: 0,
    staleForMs: 0,
    isCurrent: () => false,
    withTags: (tags) => neverCurrent(dependencies.withTags(tags)),
    purgeVerdict: () => dependencies.purgeVerdict(),
  }
}
