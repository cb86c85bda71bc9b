import type { FastifyBaseLogger } from 'fastify'

const maxMessages = 100

/** Warnings about the responses of a route, each logged once. */
export class Warnings {
  readonly #log: FastifyBaseLogger
  readonly #kind: string
  readonly #logged = new Set<string>()

  constructor(log: FastifyBaseLogger, kind: string) {
    this.#log = log
    this.#kind = kind
  }

  warnOnce(message: string): void {
    if (this.#logged.has(message) || this.#logged.size > maxMessages) return
    this.#logged.add(message)
    this.#log.warn({ kind: this.#kind }, message)
  }
}
