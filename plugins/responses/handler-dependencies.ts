import type { FastifyReply } from 'fastify'
import type { Cache, Dependencies } from '../cache/index.js'

/** Milliseconds for which a handler is still tracked after its client has left: its response may be stored for other clients. */
const defaultDetachedTimeoutMs = 30_000

/** Tracks what is read from `fastify.cache` while a handler runs. */
export class HandlerDependencies {
  readonly #cache: Cache
  readonly #detachedTimeoutMs: number
  readonly #ended: Promise<void>
  #end: () => void = () => undefined
  readonly #answered: Promise<void>
  #answer: () => void = () => undefined
  #hasEnded = false
  #isCutOff = false
  #resume: (work: () => void) => void = (work) => work()
  #untilEnd: Promise<{ readonly dependencies: Dependencies }> | undefined
  #untilAnswer: Promise<{ readonly dependencies: Dependencies }> | undefined

  constructor(cache: Cache, detachedTimeoutMs = defaultDetachedTimeoutMs) {
    this.#cache = cache
    this.#detachedTimeoutMs = detachedTimeoutMs
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
    return this.#completed((await this.#untilAnswer)?.dependencies)
  }

  /** Ends the tracking; gives all reads. */
  async readUntilEnd(): Promise<Dependencies | undefined> {
    this.end()
    await null // a synchronous handler answers while `run` is still on the stack
    return this.#completed((await this.#untilEnd)?.dependencies)
  }

  end(): void {
    this.#hasEnded = true
    this.#answer()
    this.#end()
  }

  /** The connection or the response has ended. */
  closed({ raw }: { readonly raw: Pick<FastifyReply['raw'], 'writableEnded'> }): void {
    if (raw.writableEnded) this.end()
    else if (this.#untilEnd === undefined) this.#cutOff()
    else if (!this.#hasEnded) setTimeout(() => this.#cutOff(), this.#detachedTimeoutMs).unref()
  }

  #cutOff(): void {
    if (this.#hasEnded) return
    this.#isCutOff = true
    this.end()
  }

  /** Later reads are unknown if tracking was cut off: the response must not be stored. */
  #completed(dependencies: Dependencies | undefined): Dependencies | undefined {
    return dependencies && this.#isCutOff ? neverCurrent(dependencies) : dependencies
  }
}

function neverCurrent(dependencies: Dependencies): Dependencies {
  const { purgeVerdict } = dependencies
  const withTags = (tags: readonly string[]) => neverCurrent(dependencies.withTags(tags))
  return { tags: dependencies.tags, freshForMs: 0, isCurrent: () => false, withTags, purgeVerdict }
}
