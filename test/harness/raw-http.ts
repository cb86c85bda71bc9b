import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'

/** The head of a response as received, decoded as Latin-1. */
export interface RawHead {
  readonly status: number
  /** Field lines in order, with the original case of names. */
  readonly lines: readonly (readonly [name: string, value: string])[]
  /** Values by lower-case name. The lines of a repeated field are joined by `, `. */
  readonly fields: Readonly<Record<string, string>>
}

export interface RawResponse extends RawHead {
  readonly body: Buffer
}

/** A connection that sends arbitrary text and parses responses strictly (RFC 9112). */
export interface RawConnection {
  readonly socket: Socket
  readonly isClosed: boolean
  /** Resolves when either side has closed the connection. */
  readonly closed: Promise<void>
  /** Sends the text as Latin-1. */
  write(text: string): void
  /** The next complete response. Rejects if it is malformed or incomplete. Skips interim responses. */
  response(method?: string): Promise<RawResponse>
  /** The next head. Read its body with `take` or `bodyOf`. */
  head(): Promise<RawHead>
  bodyOf(head: RawHead, method?: string): Promise<Buffer>
  /** Waits for this many bytes and consumes them. */
  take(bytes: number): Promise<Buffer>
  /** Received bytes that have not been consumed. */
  readonly unread: Buffer
}

const statusLine = /^HTTP\/1\.1 (\d{3}) [\t\x20-\x7e\x80-\xff]*$/
const fieldLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*([\t\x20-\x7e\x80-\xff]*?)[\t ]*$/
const endOfHead = Buffer.from('\r\n\r\n')
const deadlineMs = 20_000

/** The port of the application. Starts listening if necessary. */
export async function listen(app: FastifyInstance): Promise<number> {
  if (!app.server.listening) await app.listen({ host: '127.0.0.1', port: 0 })
  const address = app.server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port')
  return address.port
}

/** Connects to a loopback port. The connection is closed when the test ends. */
export async function connectRaw(t: Pick<Test, 'teardown'>, port: number): Promise<RawConnection> {
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  let unread: Buffer = Buffer.alloc(0)
  let chunks: Buffer[] = []
  let isClosed = false
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      isClosed = true
      socket.emit('more')
      resolve()
    })
  })
  socket.on('error', () => undefined) // the test sees that the connection is closed
  socket.on('end', () => socket.emit('more'))
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    socket.emit('more')
  })
  await once(socket, 'connect')

  function concatenate(): Buffer {
    if (chunks.length > 0) unread = Buffer.concat([unread, ...chunks])
    chunks = []
    return unread
  }
  /** Waits for more data or the end of the connection. */
  async function more(expected: string): Promise<void> {
    if (isClosed || socket.readableEnded) throw new Error(`the connection ended in ${expected}: ${tail(concatenate())}`)
    const isLate = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(true), deadlineMs)
      socket.once('more', () => {
        clearTimeout(timer)
        resolve(false)
      })
    })
    if (isLate) throw new Error(`${deadlineMs} ms without ${expected}: ${tail(concatenate())}`)
  }
  async function take(bytes: number, expected = `the next ${bytes} bytes`): Promise<Buffer> {
    let length = unread.length + chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    while (length < bytes) {
      await more(expected)
      length = unread.length + chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    }
    const taken = concatenate().subarray(0, bytes)
    unread = unread.subarray(bytes)
    return taken
  }
  async function takeUntil(mark: Buffer, expected: string): Promise<string> {
    for (;;) {
      const at = concatenate().indexOf(mark)
      if (at !== -1) return (await take(at + mark.length)).subarray(0, at).toString('latin1')
      await more(expected)
    }
  }
  async function head(): Promise<RawHead> {
    const read = parseHead(await takeUntil(endOfHead, 'a head'))
    return read.status < 200 ? head() : read
  }
  async function bodyOf({ status, fields }: RawHead, method = 'GET'): Promise<Buffer> {
    if (method === 'HEAD' || status === 204 || status === 304) return Buffer.alloc(0)
    const { 'transfer-encoding': coding, 'content-length': length } = fields
    if (coding !== undefined) {
      if (coding !== 'chunked' || length !== undefined) throw new Error(`framed by ${coding} and ${length}`)
      return chunkedBody()
    }
    if (length === undefined) return bodyUntilTheEnd()
    if (!/^\d+$/.test(length)) throw new Error(`a content-length of ${length}`)
    return take(Number(length), `a body of ${length} bytes`)
  }
  async function bodyUntilTheEnd(): Promise<Buffer> {
    await closed
    return take(concatenate().length)
  }
  async function chunkedBody(): Promise<Buffer> {
    const parts: Buffer[] = []
    for (;;) {
      const size = await takeUntil(Buffer.from('\r\n'), 'the size of a chunk')
      if (!/^[0-9a-f]+$/i.test(size)) throw new Error(`a chunk of size ${size}`)
      const length = Number.parseInt(size, 16)
      parts.push(await take(length, `a chunk of ${length} bytes`))
      if ((await take(2, 'the end of a chunk')).toString() !== '\r\n') throw new Error('a chunk that does not end')
      if (length === 0) return Buffer.concat(parts)
    }
  }
  return {
    socket,
    closed,
    get isClosed() {
      return isClosed
    },
    get unread() {
      return concatenate()
    },
    write: (text) => void socket.write(text, 'latin1'),
    async response(method) {
      const read = await head()
      return { ...read, body: await bodyOf(read, method) }
    },
    head,
    bodyOf,
    take,
  }
}

function parseHead(text: string): RawHead {
  const [first = '', ...rest] = text.split('\r\n')
  const [, status] = statusLine.exec(first) ?? []
  if (status === undefined) throw new Error(`no status line: ${JSON.stringify(first)}`)
  const lines = rest.map((line) => {
    const [, name, value] = fieldLine.exec(line) ?? []
    if (name === undefined || value === undefined) throw new Error(`no header field: ${JSON.stringify(line)}`)
    return [name, value] as const
  })
  const fields: Record<string, string> = {}
  for (const [written, value] of lines) {
    const name = written.toLowerCase()
    fields[name] = fields[name] === undefined ? value : `${fields[name]}, ${value}`
  }
  return { status: Number(status), lines, fields }
}

function tail(bytes: Buffer): string {
  return JSON.stringify(bytes.subarray(-200).toString('latin1'))
}
