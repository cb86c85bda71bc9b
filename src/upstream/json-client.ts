import { setTimeout as sleep } from 'node:timers/promises'
import type { Static, TSchema } from '@sinclair/typebox'
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler'
import { type Dispatcher, errors, Pool } from 'undici'
import { createCallQueue } from './call-queue.js'
import {
  isUpstreamError,
  UpstreamNotJson,
  UpstreamStatus,
  UpstreamTimeout,
  UpstreamTooLarge,
  UpstreamUnreachable,
  UpstreamWrongShape,
} from './errors.js'
import { createRetryBudget, isTransient, pauseBeforeRetry } from './retry.js'
import { isTimeUp, type StartTimer, timeUp, unlessAborted, withScope } from './scope.js'

export interface JsonClientOptions {
  /** Base URL, http or https, with or without a path; no credentials, query or fragment. */
  readonly url: string | URL
  /** Sent as `authorization: Bearer …`. */
  readonly token?: string | undefined
  /**
   * Milliseconds for one try, from the moment when a connection takes it to the last byte of the body, and as many to
   * connect. Waiting for a connection has no limit but the end of the load.
   */
  readonly timeoutMs: number
  /** Bytes an answer may have. */
  readonly maxBodyBytes: number
  /** Tries after the first one. */
  readonly maxRetries: number
  /** Connections to the upstream; further calls wait in a queue. */
  readonly maxConnections: number
  /** A number from 0 to 1, for the jitter of the retries. */
  readonly random: () => number
  /** Measures `timeoutMs`. */
  readonly startTimer: StartTimer
}

/** What a load gives each of its calls. */
export interface Call {
  /** Ends the call: with the time-out error when its reason is a `TimeoutError`, else with the reason itself. */
  readonly signal: AbortSignal
  /** When the load began, in milliseconds of `performance.now()`. */
  readonly beganAt: number
  /** When the load has to be done, in milliseconds of `performance.now()`: no pause goes beyond it. */
  readonly endsAt: number
  /** Sent beside our own headers. */
  readonly headers: Readonly<Record<string, string>>
}

/** Query parameters by name; those that are undefined or empty are left out. */
export type Query = Readonly<Record<string, string | number | undefined>>

/** GETs one path and answers what its schema says. Rejects with an upstream error, or the reason of the signal. */
export type Endpoint<Answer> = (query: Query, call: Call) => Promise<Answer>

/** A client of one JSON API: GETs only, so that every call may be tried again. */
export interface JsonClient {
  /** A path below the base URL, such as `/sellers`, and the schema of its answers, compiled here and not per call. */
  endpoint<Schema extends TSchema>(path: string, schema: Schema): Endpoint<Static<Schema>>
  /** Cuts all connections. */
  destroy(): Promise<void>
}

/** Creates the client; it connects with the first call. Throws a `TypeError` for a base URL that it cannot use. */
export function createJsonClient(options: JsonClientOptions): JsonClient {
  const { timeoutMs, maxBodyBytes, maxRetries, maxConnections, random, startTimer, token } = options
  const base = parseBase(options.url)
  const pool = new Pool(base.origin, {
    connections: maxConnections,
    connectTimeout: timeoutMs,
    // A try has one timer, which covers both.
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  // The pool has a queue too, but one that an aborted request leaves only when a connection takes it.
  const queue = createCallQueue(maxConnections)
  const retryBudget = createRetryBudget()
  const ownHeaders = {
    accept: 'application/json',
    'accept-encoding': 'identity', // without it any coding is welcome, RFC 9110 §12.5.3, and undici decodes none
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  }

  return {
    endpoint(path, schema) {
      const check = TypeCompiler.Compile(schema)
      return async (query, call) => decode(path, check, await getWithRetries(path, query, call))
    },
    destroy: () => pool.destroy(),
  }

  async function getWithRetries(path: string, query: Query, call: Call): Promise<Buffer> {
    const { signal, endsAt } = call
    retryBudget.earn()
    let lastFailure: unknown
    for (let tries = 1; ; tries++) {
      if (signal.aborted) throw endOf(path, call, lastFailure)
      try {
        return await get(path, query, call, tries)
      } catch (error) {
        if (signal.aborted) throw endOf(path, call, lastFailure)
        if (tries > maxRetries || !isTransient(error)) throw error
        const pauseMs = pauseBeforeRetry(error, tries, random)
        if (performance.now() + pauseMs >= endsAt || !retryBudget.spend()) throw error
        lastFailure = error
        // Cut short by the signal, which the next turn looks at.
        await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
      }
    }
  }

  async function get(path: string, query: Query, { signal, headers }: Call, tries: number): Promise<Buffer> {
    try {
      return await queue.run(signal, () =>
        withScope({ signal }, async (scope) => {
          let stopTimer: (() => void) | undefined
          const onStart = () => {
            // Not again when undici moves the request to a new connection, nor for a request that is aborted already.
            if (scope.signal.aborted) return
            stopTimer ??= startTimer(() => scope.abort(timeUp(timeoutMs)), timeoutMs)
          }
          const request = pool.compose(reportStart(onStart)).request({
            method: 'GET',
            path: base.path + path + formatQuery(query),
            headers: { ...ownHeaders, ...headers },
            signal: scope.signal,
          })
          try {
            // undici looks at the signal of a request only once the request has a connection.
            return await receive(path, await unlessAborted(scope.signal, request))
          } finally {
            stopTimer?.()
          }
        }),
      )
    } catch (error) {
      // An invalid argument is a mistake of ours and not of the upstream.
      if (signal.aborted || isUpstreamError(error) || error instanceof errors.InvalidArgumentError) throw error
      const isConnecting = error instanceof errors.ConnectTimeoutError
      if (isConnecting || isTimeUp(error)) {
        const missing = isConnecting ? 'no connection' : 'no whole answer'
        const tried = tries === 1 ? '' : `, tried ${tries} times`
        throw new UpstreamTimeout(path, `${missing} within ${timeoutMs} ms${tried}`, { cause: error })
      }
      throw new UpstreamUnreachable(path, codeOf(error), { cause: error })
    }
  }

  async function receive(path: string, response: Dispatcher.ResponseData): Promise<Buffer> {
    const { statusCode, headers, body } = response
    if (statusCode !== 200) {
      await body.dump({ limit: maxBodyBytes }) // so that the connection can be used again
      throw new UpstreamStatus(path, statusCode, retryAfterMs(headers))
    }
    if (Number(headers['content-length']) > maxBodyBytes) {
      await body.dump({ limit: maxBodyBytes }) // reads nothing: what says that it is longer is cut off
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
}

/** Calls back when a connection takes the request. */
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
    throw new TypeError('The upstream URL has to be http or https, without user, password, query and fragment')
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

function decode<Schema extends TSchema>(path: string, check: TypeCheck<Schema>, body: Buffer): Static<Schema> {
  const answer = parseJson(path, body)
  if (check.Check(answer)) return answer
  const mistake = check.Errors(answer).First()
  throw new UpstreamWrongShape(path, mistake?.path ?? '', mistake?.message ?? 'does not match')
}

function parseJson(path: string, body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch (error) {
    throw new UpstreamNotJson(path, { cause: error })
  }
}

/** Why a call ends before its answer: its load ran out of time, or somebody called it off. */
function endOf(path: string, { signal, beganAt }: Call, lastFailure: unknown): unknown {
  if (!isTimeUp(signal.reason)) return signal.reason
  // The time that has passed and not the one that was given: whose time is up, the signal does not say.
  const seconds = ((performance.now() - beganAt) / 1000).toFixed(1)
  return new UpstreamTimeout(path, `not all of it was there after ${seconds} s`, {
    cause: lastFailure ?? signal.reason,
  })
}

/** Only the seconds form: a date would be read by two clocks. RFC 9110 §10.2.3. */
function retryAfterMs(headers: Dispatcher.ResponseData['headers']): number {
  const value = headers['retry-after']
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) * 1000 : 0
}

/** The code of a network error: its message has the host in it. */
function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'the connection failed'
}
