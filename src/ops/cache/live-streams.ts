import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'

const maxStreams = 32
const maxStreamsPerOperator = 8
/** Characters. A client with a larger backlog is disconnected: it reads too slowly, or is gone. */
const maxBacklog = 512 * 1_024

/** Renders the HTML of one event; `undefined` ends the stream. */
type Render = () => Promise<string | undefined>

interface Stream {
  readonly operator: string
  readonly response: ServerResponse
  readonly render: Render
}

/**
 * Streams of server-sent events. Each renders its own text. A new stream is always opened: beyond a limit it replaces the oldest
 * of its operator, or of the operator with the most, so that none can take all places.
 */
export class LiveStreams {
  /** Oldest first. */
  readonly #streams = new Map<Readable, Stream>()

  get size(): number {
    this.#dropEnded()
    return this.#streams.size
  }

  /** Opens a stream for the response. It begins with the current state. `operator` identifies the client. */
  open(operator: string, response: ServerResponse, render: Render): Readable {
    this.#dropEnded()
    this.#makePlace(operator)
    const stream = new Readable({ read() {} })
    this.#streams.set(stream, { operator, response, render })
    stream.on('close', () => this.#streams.delete(stream))
    stream.on('error', () => undefined) // Fastify reports it; the stream may fail before Fastify listens
    void this.#send(stream, render)
    return stream
  }

  /** Sends the current state to all streams. */
  sendAll(): void {
    this.#dropEnded()
    for (const [stream, { render }] of this.#streams) void this.#send(stream, render)
  }

  close(): void {
    for (const stream of this.#streams.keys()) stream.push(null)
    this.#streams.clear()
  }

  #makePlace(operator: string): void {
    const counts = new Map<string, number>()
    for (const { operator } of this.#streams.values()) counts.set(operator, (counts.get(operator) ?? 0) + 1)
    const [most] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? []
    const hasEnough = (counts.get(operator) ?? 0) >= maxStreamsPerOperator
    if (!hasEnough && this.#streams.size < maxStreams) return
    const replaced = hasEnough ? operator : most
    const oldest = [...this.#streams].find(([, stream]) => stream.operator === replaced)?.[0]
    if (oldest === undefined) return
    this.#streams.delete(oldest)
    oldest.push('event: replaced\ndata:\n\n') // without it the browser would reconnect
    oldest.push(null)
  }

  /**
   * A stream that is not read does not close with its response: when another payload was sent in its place, or the connection
   * closed during an earlier response on it. Such a response emits no event.
   */
  #dropEnded(): void {
    for (const [stream, { response }] of this.#streams) {
      if (!response.writableEnded && !response.req.socket.destroyed) continue
      this.#streams.delete(stream)
      stream.destroy()
    }
  }

  async #send(stream: Readable, render: Render): Promise<void> {
    if (stream.readableLength > maxBacklog) return void stream.destroy()
    try {
      const html = await render()
      if (!this.#streams.has(stream)) return
      if (html === undefined) {
        this.#streams.delete(stream)
        stream.push(null)
      } else stream.push(formatEvent(html))
    } catch (error) {
      stream.destroy(error instanceof Error ? error : new Error(String(error)))
    }
  }
}

/** One field per line, and a blank line at the end. WHATWG HTML §9.2.6. */
function formatEvent(text: string): string {
  return `${text
    .split(/\r\n|\r|\n/)
    .map((line) => `data: ${line}\n`)
    .join('')}\n`
}
