import type { FastifyBaseLogger, RouteOptions } from 'fastify'

const maxMessages = 100

export const nonceWarning =
  'the response has a Content-Security-Policy with a nonce, which is valid for one response: it is not stored; use hashes, or no nonce on this route'

/** Warnings about the responses of a route, each logged once. */
export class Warnings {
  readonly #log: FastifyBaseLogger
  readonly #fields: object
  readonly #logged = new Set<string>()

  constructor(log: FastifyBaseLogger, kind: string, { method, url }: RouteOptions) {
    this.#log = log
    this.#fields = { kind, method, url }
  }

  warnOnce(message: string): void {
    if (this.#logged.has(message) || this.#logged.size > maxMessages) return
    this.#logged.add(message)
    this.#log.warn(this.#fields, message)
  }
}
