import { type Dispatcher, errors, Pool } from 'undici'
import { isTimeout, raceAbort, type StartTimer, timeoutError, withAbortScope } from './abort-scope.js'
import { createCallQueue } from './call-queue.js'
import { isUpstreamError, UpstreamStatus, UpstreamTimeout, UpstreamTooLarge, UpstreamUnreachable } from './errors.js'

export interface HttpGetterOptions {
  /** Base URL, http or https, with or without a path; no credentials, query or fragment. */
  readonly url: string | URL
  /** Sent as `authorization: Bearer …`. */
  readonly token?: string | undefined
  /**
   * Milliseconds for one attempt, from its dispatch on a connection to the last byte of the body, and as many to connect.
   * Waiting for a connection is limited by the deadline only.
   */
  readonly timeoutMs: number
  /** Maximum bytes of a response body. */
  readonly maxBodyBytes: number
  /** Connections to the upstream. Further calls wait in a queue. */
  readonly maxConnections: number
  /** Timer for `timeoutMs`. */
  readonly startTimer: StartTimer
}

export interface GetContext {
  /** Aborts the call: with `UpstreamTimeout` when the reason is a `TimeoutError`, otherwise with the reason. */
  readonly signal: AbortSignal
  /** Sent in addition to our own. */
  readonly headers: Readonly<Record<string, string>>
}

/** Query parameters. Undefined and empty ones are left out. */
export type Query = Readonly<Record<string, string | number | undefined>>

/** Single GETs over a bounded number of connections, without retries. */
export interface HttpGetter {
  /** The body of a 200. Rejects with an upstream error; `attempts` is for its message. */
  get(path: string, query: Query, context: GetContext, attempts: number): Promise<Buffer>
  /** Closes all connections. */
  destroy(): Promise<void>
}

/** Throws a `TypeError` for an invalid base URL. */
export function createHttpGetter(options: HttpGetterOptions): HttpGetter {
  const { timeoutMs, maxBodyBytes, maxConnections, startTimer, token } = options
  const base = parseBase(options.url)
  const pool = new Pool(base.origin, {
    connections: maxConnections,
    connectTimeout: timeoutMs,
    // Each attempt has one timer of ours that covers both.
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  // In the pool's own queue an aborted request waits until a connection takes it.
  const queue = createCallQueue(maxConnections)
  const ownHeaders = {
    accept: 'application/json',
    'accept-encoding': 'identity', // without it any coding is acceptable, RFC 9110 §12.5.3; undici decodes none
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  }
  return { get, destroy: () => pool.destroy() }

  async function get(path: string, query: Query, { signal, headers }: GetContext, attempts: number): Promise<Buffer> {
    try {
      return await queue.run(signal, () =>
        withAbortScope({ signal }, async (scope) => {
          let stopTimer: (() => void) | undefined
          const onStart = () => {
            // undici also reports a request that it moves to a new connection, or that is already aborted.
            if (scope.signal.aborted) return
            stopTimer ??= startTimer(() => scope.abort(timeoutError(timeoutMs)), timeoutMs)
          }
          const request = pool.compose(reportStart(onStart)).request({
            method: 'GET',
            path: base.path + path + formatQuery(query),
            headers: { ...ownHeaders, ...headers },
            signal: scope.signal,
          })
          try {
            // undici checks the signal of a request only once the request has a connection.
            return await readBody(path, await raceAbort(scope.signal, request), maxBodyBytes)
          } finally {
            stopTimer?.()
          }
        }),
      )
    } catch (error) {
      // An invalid argument is our bug, not a failure of the upstream.
      if (signal.aborted || isUpstreamError(error) || error instanceof errors.InvalidArgumentError) throw error
      const isConnecting = error instanceof errors.ConnectTimeoutError
      if (isConnecting || isTimeout(error)) {
        const missing = isConnecting ? 'no connection' : 'no complete response'
        const count = attempts === 1 ? '' : `, ${attempts} attempts`
        throw new UpstreamTimeout(path, `${missing} within ${timeoutMs} ms${count}`, { cause: error })
      }
      throw new UpstreamUnreachable(path, codeOf(error), { cause: error })
    }
  }
}

async function readBody(path: string, response: Dispatcher.ResponseData, maxBodyBytes: number): Promise<Buffer> {
  const { statusCode, headers, body } = response
  if (statusCode !== 200) {
    await body.dump({ limit: maxBodyBytes }) // so that the connection can be reused
    throw new UpstreamStatus(path, statusCode, retryAfterMs(headers))
  }
  if (Number(headers['content-length']) > maxBodyBytes) {
    await body.dump({ limit: maxBodyBytes }) // closes the connection: the stated length is over the limit
    throw new UpstreamTooLarge(path, `more than ${maxBodyBytes} bytes`)
  }
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > maxBodyBytes) throw new UpstreamTooLarge(path, `more than ${maxBodyBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Calls back when a connection dispatches the request. */
function reportStart(onStart: () => void): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) =>
    dispatch(options, {
      onRequestStart(controller, context) {
        onStart()
        handler.onRequestStart?.(controller, context)
      },
      onResponseStart: (...response) => handler.onResponseStart?.(...response),
      onResponseData: (...data) => handler.onResponseData?.(...data),
      onResponseEnd: (...end) => handler.onResponseEnd?.(...end),
      onResponseError: (...failure) => handler.onResponseError?.(...failure),
    })
}

function parseBase(url: string | URL): { origin: string; path: string } {
  const base = new URL(url)
  if (!/^https?:$/.test(base.protocol) || base.username || base.password || base.search || base.hash) {
    throw new TypeError('The upstream URL must be http or https, without user, password, query and fragment')
  }
  return { origin: base.origin, path: base.pathname.replace(/\/+$/, '') }
}

function formatQuery(query: Query): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') parameters.set(name, String(value))
  }
  return parameters.size === 0 ? '' : `?${parameters}`
}

/** Seconds only: a date would depend on two clocks. RFC 9110 §10.2.3. */
function retryAfterMs(headers: Dispatcher.ResponseData['headers']): number {
  const value = headers['retry-after']
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) * 1000 : 0
}

/** The code of a network error. Its message would reveal the host. */
function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'connection failed'
}
