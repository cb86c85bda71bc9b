import { setTimeout as sleep } from 'node:timers/promises'
import type { Static, TSchema } from '@sinclair/typebox'
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler'
import { isTimeout } from './abort-scope.js'
import { UpstreamNotJson, UpstreamTimeout, UpstreamWrongShape } from './errors.js'
import { createHttpGetter, type GetContext, type HttpGetterOptions, type Query } from './http-getter.js'
import { createRetryBudget, isTransient, retryDelayMs } from './retry.js'

export type { Query } from './http-getter.js'

export interface JsonClientOptions extends HttpGetterOptions {
  /** Retries after the first attempt. */
  readonly maxRetries: number
  /** 0 to 1, for the jitter of retries. */
  readonly random: () => number
}

/** Context of a call: its request group's signal and times (`performance.now()`), and headers. */
export interface Call extends GetContext {
  readonly startedAt: number
  readonly deadlineAt: number
}

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
  const { maxRetries, random } = options
  const getter = createHttpGetter(options)
  const retryBudget = createRetryBudget()

  return {
    endpoint(path, schema) {
      const check = TypeCompiler.Compile(schema)
      return async (query, call) => decode(path, check, await getWithRetries(path, query, call))
    },
    destroy: () => getter.destroy(),
  }

  async function getWithRetries(path: string, query: Query, call: Call): Promise<Buffer> {
    const { signal, deadlineAt } = call
    retryBudget.earn()
    let lastFailure: unknown
    for (let attempts = 1; ; attempts++) {
      if (signal.aborted) throw abortError(path, call, lastFailure)
      try {
        return await getter.get(path, query, call, attempts)
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
