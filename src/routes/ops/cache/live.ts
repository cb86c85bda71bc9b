import { Readable } from 'node:stream'

/** Pages that are kept up to date at once. */
const maxStreams = 32
/** A reader that is so many characters behind has gone, or will not catch up. */
const maxBacklog = 512 * 1_024

/** Streams of server-sent events, each of which gets its own text whenever there is something new. */
export class LiveStreams {
  readonly #streams = new Map<Readable, () => Promise<string | undefined>>()

  get isFull(): boolean {
    return this.#streams.size >= maxStreams
  }

  /** A stream that begins with what there is now. `render` gives its HTML; `undefined` ends it. */
  open(render: () => Promise<string | undefined>): Readable {
    const stream = new Readable({ read() {} })
    this.#streams.set(stream, render)
    stream.on('close', () => this.#streams.delete(stream))
    void this.#send(stream, render)
    return stream
  }

  /** Sends what there is now to all. */
  send(): void {
    for (const [stream, render] of this.#streams) void this.#send(stream, render)
  }

  close(): void {
    for (const stream of this.#streams.keys()) stream.push(null)
    this.#streams.clear()
  }

  async #send(stream: Readable, render: () => Promise<string | undefined>): Promise<void> {
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
