import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'

/** Pages that are kept up to date at once. */
const maxStreams = 32
/** A reader that is so many characters behind has gone, or will not catch up. */
const maxBacklog = 512 * 1_024

/** Renders the HTML of one event; `undefined` ends the stream. */
type Render = () => Promise<string | undefined>

/** Streams of server-sent events, each of which gets its own text whenever there is something new. */
export class LiveStreams {
  readonly #streams = new Map<Readable, { readonly response: ServerResponse; readonly render: Render }>()

  get isFull(): boolean {
    this.#dropEnded()
    return this.#streams.size >= maxStreams
  }

  /** A stream for the response, which begins with what there is now. */
  open(response: ServerResponse, render: Render): Readable {
    const stream = new Readable({ read() {} })
    this.#streams.set(stream, { response, render })
    stream.on('close', () => this.#streams.delete(stream))
    stream.on('error', () => undefined) // Fastify reports it; the stream may fail before Fastify listens
    void this.#send(stream, render)
    return stream
  }

  /** Sends what there is now to all. */
  send(): void {
    this.#dropEnded()
    for (const [stream, { render }] of this.#streams) void this.#send(stream, render)
  }

  close(): void {
    for (const stream of this.#streams.keys()) stream.push(null)
    this.#streams.clear()
  }

  /**
   * A stream is not closed with its response when nothing reads it: when something else was sent in its place, or the
   * connection closed while an earlier response on it was not complete. Such a response emits nothing.
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

/** WHATWG HTML §9.2.6: a line each, and a blank one at the end. */
function formatEvent(text: string): string {
  return `${text
    .split(/\r\n|\r|\n/)
    .map((line) => `data: ${line}\n`)
    .join('')}\n`
}
