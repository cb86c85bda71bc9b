import { setTimeout as sleep } from 'node:timers/promises'
import type { Static, TSchema } from '@sinclair/typebox'
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler'
import { type Dispatcher, errors, Pool } from 'undici'
import { isTimeout, raceAbort, type StartTimer, timeoutError, withAbortScope } from './abort-scope.js'
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
import { createRetryBudget, isTransient, retryDelayMs } from './retry.js'

export interface JsonClientOptions {
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
  /** Retries after the first attempt. */
  readonly maxRetries: number
  /** Connections to the upstream. Further calls wait in a queue. */
  readonly maxConnections: number
  /** 0 to 1, for the jitter of retries. */
  readonly random: () => number
  /** Timer for `timeoutMs`. */
  readonly startTimer: StartTimer
}

/** Context of a call: its request group's signal and times (`performance.now()`), and headers. */
export interface Call {
  /** Aborts the call: with `UpstreamTimeout` when the reason is a `TimeoutError`, otherwise with the reason. */
  readonly signal: AbortSignal
  readonly startedAt: number
  readonly deadlineAt: number
  /** Sent in addition to our own. */
  readonly headers: Readonly<Record<string, string>>
}

/** Query parameters. Undefined and empty ones are left out. */
export type Query = Readonly<Record<string, string | number | undefined>>

/** GETs one path and validates the response. Rejects with an upstream error, or the reason of the signal. */
export type Endpoint<Body> = (query: Query, call: Call) => Promise<Body>

/** A client of one JSON API. GETs only, so that every call may be retried. */
export interface JsonClient {
  /** A path below the base URL, such as `/sellers`. The schema of its responses is compiled once. */
  endpoint<Schema extends TSchema>(path: string, schema: Schema): Endpoint<Static<Schema>>
  /** Closes all connections. */
  destroy(): Promise<void>
}

/** The client connects with the first call. Throws a `TypeError` for an invalid base URL. */
export function createJsonClient(options: JsonClientOptions): JsonClient {
  const { timeoutMs, maxBodyBytes, maxRetries, maxConnections, random, startTimer, token } = options
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
  const retryBudget = createRetryBudget()
  const ownHeaders = {
    accept: 'application/json',
    'accept-encoding': 'identity', // without it any coding is acceptable, RFC 9110 §12.5.3; undici decodes none
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
    const { signal, deadlineAt } = call
    retryBudget.earn()
    let lastFailure: unknown
    for (let attempts = 1; ; attempts++) {
      if (signal.aborted) throw abortError(path, call, lastFailure)
      try {
        return await get(path, query, call, attempts)
      } catch (error) {
        if (signal.aborted) throw abortError(path, call, lastFailure)
        if (attempts > maxRetries || !isTransient(error)) throw error
        const delayMs = retryDelayMs(error, attempts, random)
        if (performance.now() + delayMs >= deadlineAt || !retryBudget.spend()) throw error
        lastFailure = error
        // An abort ends the delay; the loop checks the signal.
        await sleep(delayMs, undefined, { signal }).catch(() => undefined)
      }
    }
  }

  async function get(path: string, query: Query, { signal, headers }: Call, attempts: number): Promise<Buffer> {
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
            return await receive(path, await raceAbort(scope.signal, request))
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

  async function receive(path: string, response: Dispatcher.ResponseData): Promise<Buffer> {
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

function decode<Schema extends TSchema>(path: string, check: TypeCheck<Schema>, body: Buffer): Static<Schema> {
  const value = parseJson(path, body)
  if (check.Check(value)) return value
  const mismatch = check.Errors(value).First()
  throw new UpstreamWrongShape(path, mismatch?.path ?? '', mismatch?.message ?? 'does not match')
}

function parseJson(path: string, body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch (error) {
    throw new UpstreamNotJson(path, { cause: error })
  }
}

/** The error of an aborted call: a time-out of its group, or the reason of the abort. */
function abortError(path: string, { signal, startedAt }: Call, lastFailure: unknown): unknown {
  if (!isTimeout(signal.reason)) return signal.reason
  // The elapsed time: the signal does not say which deadline passed.
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  return new UpstreamTimeout(path, `no complete response after ${seconds} s`, {
    cause: lastFailure ?? signal.reason,
  })
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
