import type { FastifyReply, FastifyRequest } from 'fastify'
import { hasSerializer } from '../responses/prior-reply.js'
import type { HandlerMask } from '../responses/request-view.js'
import { MaskedProperty } from './errors.js'

export interface PropertyMaskOptions {
  /** Properties of the request. */
  readonly names: readonly string[]
  /** Properties of which the handler sees another value. */
  readonly shown: Readonly<Record<string, unknown>>
  /** The query in the key, whatever hooks have made of `request.query` since; `undefined`: the key is the complete URI. */
  readonly query: Readonly<Record<string, unknown>> | undefined
}

/**
 * Hides properties that hooks derived from what identifies the client, while the handler and `preSerialization` hooks run: a read
 * throws. They are there again for the `onSend` hooks of session plugins.
 */
export class PropertyMask implements HandlerMask {
  readonly #request: FastifyRequest
  readonly #names: readonly string[]
  readonly #shown: Readonly<Record<string, unknown>>
  readonly #query: Readonly<Record<string, unknown>> | undefined
  /** Own properties of the request that are hidden, to be restored; `undefined` where there was none. */
  #hidden: readonly (readonly [name: string, original: PropertyDescriptor | undefined])[] | undefined
  /** What the handler itself has assigned: it derives from what the handler sees. */
  readonly #assigned = new Map<string, unknown>()

  constructor(request: FastifyRequest, { names, shown, query }: PropertyMaskOptions) {
    this.#request = request
    this.#names = [...names, ...Object.keys(shown)]
    this.#shown = shown
    this.#query = query
  }

  hide(): void {
    if (this.#hidden !== undefined || this.#names.length === 0) return
    this.#hidden = this.#names.map((name) => [name, Object.getOwnPropertyDescriptor(this.#request, name)])
    for (const name of this.#names) {
      Object.defineProperty(this.#request, name, {
        get: () => this.#read(name),
        set: (value: unknown) => this.#assigned.set(name, value),
        configurable: true,
      })
    }
  }

  show(): void {
    const hidden = this.#hidden ?? []
    this.#hidden = undefined
    for (const [name, original] of hidden) {
      if (original === undefined) Reflect.deleteProperty(this.#request, name)
      else Object.defineProperty(this.#request, name, original)
      if (this.#assigned.has(name)) Reflect.set(this.#request, name, this.#assigned.get(name))
    }
  }

  run<Result>(work: () => Result): Result {
    if (this.#hidden !== undefined) return work()
    this.hide()
    try {
      return work()
    } finally {
      this.show()
    }
  }

  hideUntilSent(reply: FastifyReply): void {
    if (this.#query !== undefined) this.#request.query = structuredClone(this.#query)
    if (this.#names.length === 0) return
    this.hide()
    const original = Object.getOwnPropertyDescriptor(reply, 'send')
    const send = (payload?: unknown) => {
      if (original === undefined) Reflect.deleteProperty(reply, 'send')
      else Object.defineProperty(reply, 'send', original)
      // After `preSerialization` hooks the route has one that shows them.
      if (!isSerialized(reply, payload)) this.show()
      return reply.send(payload)
    }
    Object.defineProperty(reply, 'send', { value: send, configurable: true, writable: true })
  }

  #read(name: string): unknown {
    if (this.#assigned.has(name)) return this.#assigned.get(name)
    if (Object.hasOwn(this.#shown, name)) return this.#shown[name]
    const { method, url = '' } = this.#request.routeOptions
    throw new MaskedProperty(`${method} ${url}`, name)
  }
}

/** Whether Fastify runs `preSerialization` hooks for the payload. */
function isSerialized(reply: FastifyReply, payload: unknown): boolean {
  if (payload === undefined || typeof payload === 'string' || payload instanceof Error) return false
  const type = reply.getHeader('content-type')
  const isJson = type === undefined || String(type).includes('json')
  return (isJson || hasSerializer(reply)) && !isBody(payload)
}

/** Whether the payload is bytes, a stream or a web `Response`, which are sent as they are. */
function isBody(payload: unknown): boolean {
  if (typeof payload !== 'object' || payload === null) return false
  if ('pipe' in payload || 'getReader' in payload) return true
  return ArrayBuffer.isView(payload) || Object.prototype.toString.call(payload) === '[object Response]'
}
