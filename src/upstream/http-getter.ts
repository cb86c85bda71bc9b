import type { LookupFunction } from 'node:net'
import { type Dispatcher, errors } from 'undici'
import { isTimeout, raceAbort, type StartTimer, timeoutError, withAbortScope } from './abort-scope.js'
import { createCallQueue } from './call-queue.js'
import { createConnectionPool } from './connection-pool.js'
import { isUpstreamError, UpstreamRedirect, UpstreamStatus, UpstreamTimeout, UpstreamUnreachable } from './errors.js'
import { readBody } from './response-body.js'

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
  /** Maximum bytes of a response body, as received and decoded. */
  readonly maxBodyBytes: number
  /** Connections to the upstream. Further calls wait in a queue. */
  readonly maxConnections: number
  /** Milliseconds after which a connection is no longer used for new calls, so that calls follow changes in DNS. */
  readonly connectionMaxAgeMs: number
  /** Redirects within the origin that one call follows. */
  readonly maxRedirects: number
  /** Timer for `timeoutMs`. */
  readonly startTimer: StartTimer
  /** Milliseconds of a monotonic clock, for `connectionMaxAgeMs`. */
  readonly monotonicNow: () => number
  /** Resolves the host name. Default: that of Node.js. */
  readonly lookup?: LookupFunction | undefined
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
  const { timeoutMs, maxBodyBytes, maxConnections, maxRedirects, startTimer, token } = options
  const base = parseBase(options.url)
  const connections = createConnectionPool({ ...options, origin: base.origin, connectTimeoutMs: timeoutMs })
  // In the pool's own queue an aborted request waits until a connection takes it.
  const queue = createCallQueue(maxConnections)
  const ownHeaders = {
    accept: 'application/json',
    'accept-encoding': 'gzip', // a page of JSON shrinks to a sixth; see docs/decisions/0024
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  }
  return { get, destroy: () => connections.destroy() }

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
          try {
            const target = base.path + path + formatQuery(query)
            return await follow(path, target, { headers, signal: scope.signal, onStart })
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

  /** The body of a 200, after redirects within the origin. The token never goes to another one. */
  async function follow(path: string, firstTarget: string, { headers, signal, onStart }: Attempt): Promise<Buffer> {
    let target = firstTarget
    for (let redirects = 0; ; redirects++) {
      const request = connections
        .current()
        .compose(reportStart(onStart))
        .request({ method: 'GET', path: target, headers: { ...ownHeaders, ...headers }, signal })
      // undici checks the signal of a request only once the request has a connection.
      const response = await raceAbort(signal, request)
      if (response.statusCode === 200) return readBody(path, response, maxBodyBytes)
      await response.body.dump({ limit: maxBodyBytes }) // so that the connection can be reused
      const location = locationOf(response, base.origin + target)
      if (location === undefined) throw new UpstreamStatus(path, response.statusCode, retryAfterMs(response.headers))
      if (location.origin !== base.origin) throw new UpstreamRedirect(path, 'to another origin')
      if (redirects === maxRedirects) throw new UpstreamRedirect(path, `more than ${maxRedirects} times`)
      target = location.pathname + location.search
    }
  }
}

interface Attempt extends GetContext {
  readonly onStart: () => void
}

/** 304 is no answer to our requests, and 300 leaves the choice to the client. RFC 9110 §15.4. */
const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** The target of a redirect; `undefined` if the response is none, or has no valid `Location`. */
function locationOf({ statusCode, headers }: Dispatcher.ResponseData, url: string): URL | undefined {
  const { location } = headers
  if (!redirectStatuses.has(statusCode) || typeof location !== 'string' || !URL.canParse(location, url))
    return undefined
  return new URL(location, url)
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
