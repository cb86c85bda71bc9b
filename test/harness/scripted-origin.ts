import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createDeferred, type Deferred } from './deferred.js'

/**
 * The value of a field, or a function that computes it when it is sent from the time of the origin's clock in milliseconds and
 * from the prefix of the answer.
 */
export type FieldValue = string | ((now: number, prefix: string) => string)

/** Field lines in the order in which they are sent. Names may repeat. */
export type FieldLines = readonly (readonly [name: string, value: FieldValue])[]

/** A scripted response. */
export interface Answer {
  /** Default 200. */
  readonly status?: number
  /** `Date` and `Content-Length` are added unless given. */
  readonly fields?: FieldLines
  readonly body?: string
  /** False: the response has no `Date`. */
  readonly date?: false
  /** Seconds of the origin's clock between the request and the response. Default 0. */
  readonly takesSeconds?: number
  /** Sent in chunks, without a `Content-Length`. */
  readonly chunked?: true
  /** Field lines after the last chunk. */
  readonly trailers?: readonly (readonly [name: string, value: string])[]
  /** Status codes of the interim responses. */
  readonly interim?: readonly (102 | 103)[]
  /** Closes the connection before the response or in the middle of its body, or refuses the connection. */
  readonly fault?: 'cut' | 'cut half way' | 'refused'
  /** Sends a full response to a conditional request. */
  readonly ignoresConditions?: true
}

/** A request that reached the origin. */
export interface ReceivedRequest {
  readonly method: string
  readonly url: string
  /** Field lines as received. */
  readonly lines: readonly (readonly [name: string, value: string])[]
  /** The lines of that name joined with a comma. `undefined` if there is none. */
  field(name: string): string | undefined
}

/** Requests whose responses are delayed. */
export interface Hold {
  /** Later requests are not delayed. */
  stop(): void
  /** Sends the delayed responses, and delays no further ones. */
  release(): void
}

/** An origin on a loopback port that sends scripted responses and records requests. */
export interface ScriptedOrigin {
  /** The URL of the origin for a path. A closed port if the fault of the path is `refused`. */
  urlFor(path: string): string
  /** Sets the response to every request whose path begins with the prefix. Replaces an earlier one. */
  answer(prefix: string, answer: Answer): void
  /** Delays the responses to requests under the prefix. */
  hold(prefix: string): Hold
  /** Requests under the prefix so far, in order. */
  received(prefix: string): readonly ReceivedRequest[]
  /** Removes the response and the requests under the prefix. */
  forget(prefix: string): void
  close(): Promise<void>
}

/** A port without a server. It is outside the ephemeral range, so no other server receives it by chance. */
const closedPort = 2

/** Starts an origin that uses the clock for `Date` and other times. */
export async function startScriptedOrigin(clock: {
  now(): number
  step(seconds: number): void
}): Promise<ScriptedOrigin> {
  const answers = new Map<string, Answer>()
  const holds = new Map<string, Deferred<void>>()
  const requests: ReceivedRequest[] = []

  const server = createServer(async (incoming, response) => {
    incoming.resume() // discards a request body
    const request = describe(incoming)
    requests.push(request)
    const [prefix, answer] = find(request.url) ?? ['', { status: 404 }]
    await holds.get(prefix)?.promise
    clock.step(answer.takesSeconds ?? 0)
    const now = clock.now()
    const lines = linesAt(answer.fields ?? [], now, prefix)
    // A response that Node refuses to send closes the connection, and its test fails.
    await send(response, request, { ...answer, lines }, now).catch((error: Error) => response.destroy(error))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a listening TCP server has an AddressInfo

  function find(path: string): [string, Answer] | undefined {
    return [...answers].find(([prefix]) => path.startsWith(prefix))
  }

  return {
    urlFor: (path) => `http://127.0.0.1:${find(path)?.[1].fault === 'refused' ? closedPort : port}`,
    answer: (prefix, answer) => void answers.set(prefix, answer),
    hold(prefix) {
      const gate = createDeferred<void>()
      holds.set(prefix, gate)
      const stop = () => void holds.delete(prefix)
      return {
        stop,
        release() {
          stop()
          gate.resolve()
        },
      }
    },
    received: (prefix) => requests.filter(({ url }) => url.startsWith(prefix)),
    forget(prefix) {
      answers.delete(prefix)
      const others = requests.filter(({ url }) => !url.startsWith(prefix))
      requests.splice(0, requests.length, ...others)
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function describe({ method = '', url = '', rawHeaders }: IncomingMessage): ReceivedRequest {
  const lines = pairs(rawHeaders)
  return { method, url, lines, field: (name) => joined(lines, name) }
}

/** Converts the flat list of names and values of Node to pairs. */
export function pairs(flat: readonly string[]): [name: string, value: string][] {
  return flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] ?? '']] : []))
}

/** The lines of that name in any case as one value. `undefined` if there is none. RFC 9110 §5.3. */
export function joined(lines: readonly (readonly [string, string])[], name: string): string | undefined {
  const values = lines.filter(([line]) => line.toLowerCase() === name.toLowerCase()).map(([, value]) => value)
  return values.length === 0 ? undefined : values.join(', ')
}

/** The field lines with computed values. */
export function linesAt(fields: FieldLines, now: number, prefix: string): [name: string, value: string][] {
  return fields.map(([name, value]) => [name, typeof value === 'string' ? value : value(now, prefix)])
}

interface AnswerWithLines extends Answer {
  readonly lines: readonly (readonly [string, string])[]
}

async function send(
  response: ServerResponse,
  request: ReceivedRequest,
  answer: AnswerWithLines,
  now: number,
): Promise<void> {
  if (answer.fault === 'cut') return void response.destroy()
  for (const status of answer.interim ?? []) {
    if (status === 102) response.writeProcessing()
    else await new Promise<void>((sent) => response.writeEarlyHints({ link: '</style.css>; rel=preload' }, sent))
  }
  const { lines, chunked, trailers = [] } = answer
  const status = isUnchanged(request, answer) ? 304 : (answer.status ?? 200)
  const body = status === 205 ? '' : (answer.body ?? '')
  const has = (name: string) => joined(lines, name) !== undefined
  const hasContent = status !== 204 && status !== 304
  response.sendDate = false
  response.writeHead(status, [
    ...(answer.date === false || has('date') ? [] : ['Date', httpDate(0)(now)]),
    ...lines.flat(),
    ...(hasContent && !chunked && !has('content-length') ? ['Content-Length', String(Buffer.byteLength(body))] : []),
  ])
  if (answer.fault === 'cut half way') {
    response.write(body.slice(0, body.length / 2), () => response.destroy())
    return
  }
  if (hasContent && request.method !== 'HEAD') response.write(body)
  response.addTrailers(trailers.map(([name, value]): [string, string] => [name, value]))
  response.end()
}

/** Whether the conditions of the request allow a 304. RFC 9110 §13.2.2. */
function isUnchanged(request: ReceivedRequest, answer: AnswerWithLines): boolean {
  if (answer.ignoresConditions || (answer.status ?? 200) !== 200) return false
  if (request.method !== 'GET' && request.method !== 'HEAD') return false
  const [entityTag, modified] = [joined(answer.lines, 'etag'), joined(answer.lines, 'last-modified')]
  const [ifNoneMatch, ifModifiedSince] = [request.field('if-none-match'), request.field('if-modified-since')]
  if (ifNoneMatch !== undefined) {
    const opaque = entityTag?.replace(/^W\//, '')
    return opaque !== undefined && (ifNoneMatch === '*' || ifNoneMatch.includes(opaque))
  }
  return modified !== undefined && ifModifiedSince !== undefined && Date.parse(modified) <= Date.parse(ifModifiedSince)
}

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

/** The three forms of an HTTP-date. RFC 9110 §5.6.7. */
export type DateForm = 'imf-fixdate' | 'rfc850-date' | 'asctime-date'

/** A date relative to the time at which the field is sent. */
export function httpDate(seconds: number, form: DateForm = 'imf-fixdate'): (now: number) => string {
  return (now) => {
    const date = new Date(now + seconds * 1_000)
    const imf = date.toUTCString()
    if (form === 'imf-fixdate') return imf
    const [, day = '', month = '', year = '', time = ''] = imf.split(' ')
    const weekday = days[date.getUTCDay()] ?? ''
    if (form === 'rfc850-date') return `${weekday}, ${day}-${month}-${year.slice(2)} ${time} GMT`
    return `${weekday.slice(0, 3)} ${month} ${day.replace(/^0/, ' ')} ${time} ${year}`
  }
}
