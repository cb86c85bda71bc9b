import type { CircuitBreaker } from '../../redis/circuit-breaker.js'
import { classifyRedisFailure, isOutage, type RedisFailureKind, recordRedisFailure } from '../../redis/failure-kind.js'
import type { ServerBreakers } from '../../redis/server-breakers.js'
import { withTimeout } from '../../timeout.js'
import type { CacheClock } from '../clock.js'
import { StoreFailure } from '../store.js'
import type { Script } from './scripts.js'

/** What the store needs of a client: ioredis, its Cluster, or a client with the same methods. */
export interface RedisCommands {
  get(key: string): Promise<string | null>
  /** If present, several reads are sent as one command. */
  mget?(...keys: string[]): Promise<(string | null)[]>
  eval(script: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>
  /** If present, a script is sent once and then called by its digest. */
  evalsha?(digest: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>
}

interface CommandsOptions {
  readonly client: RedisCommands
  /** The prefix that the client itself adds to each key. */
  readonly clientPrefix: string
  readonly breakers: ServerBreakers
  readonly clock: CacheClock
  readonly readTimeoutMs: number
  readonly writeTimeoutMs: number
}

/** Milliseconds without writes after Redis has refused one: it is full, read-only, or denies the command. */
const writePauseMs = 1_000

/**
 * Sends commands within their time-outs and reports each outcome to the circuit breaker of the server. All failures are a
 * `StoreFailure`.
 */
export class Commands {
  readonly #options: CommandsOptions
  #refusedWrite: { readonly until: number; readonly failure: StoreFailure } | undefined

  constructor(options: CommandsOptions) {
    this.#options = options
  }

  isCircuitOpen(name: string): boolean {
    return this.#breakerFor(name).isOpen
  }

  /** Throws the last refusal while Redis is known to refuse writes. */
  assertWritable(): void {
    const refused = this.#refusedWrite
    if (refused !== undefined && this.#options.clock.monotonicNow() < refused.until) throw refused.failure
  }

  get(name: string): Promise<string | null> {
    const { client, readTimeoutMs } = this.#options
    return this.#send(name, () => client.get(name), readTimeoutMs)
  }

  /** Reads keys of one server. A failure counts once for each key. */
  getMany(names: readonly string[]): Promise<readonly (string | null)[]> {
    const { client, readTimeoutMs } = this.#options
    const [first = ''] = names
    return this.#send(first, async () => client.mget?.(...names) ?? [], readTimeoutMs, names.length)
  }

  /** Runs a script within the time-out of a read. */
  read(script: Script, name: string, args: readonly string[]): Promise<unknown> {
    return this.#send(name, () => this.#evaluate(script, name, args), this.#options.readTimeoutMs)
  }

  /** Runs a script within the time-out of a write. Redis may execute it even if it times out. */
  write(script: Script, name: string, args: readonly string[]): Promise<unknown> {
    return this.#send(name, () => this.#evaluate(script, name, args), this.#options.writeTimeoutMs)
  }

  async #evaluate({ digest, text }: Script, name: string, args: readonly string[]): Promise<unknown> {
    const { client } = this.#options
    if (client.evalsha === undefined) return client.eval(text, 1, name, ...args)
    try {
      return await client.evalsha(digest, 1, name, ...args)
    } catch (error) {
      if (!isDigestRefused(error)) throw error
      return client.eval(text, 1, name, ...args)
    }
  }

  #breakerFor(name: string): CircuitBreaker {
    const { breakers, clientPrefix } = this.#options
    return breakers.forKey(clientPrefix + name)
  }

  async #send<T>(name: string, command: () => Promise<T>, timeoutMs: number, requests = 1): Promise<T> {
    const breaker = this.#breakerFor(name)
    if (breaker.isOpen) throw circuitOpen()
    try {
      const reply = await withTimeout(command, timeoutMs)
      breaker.succeeded()
      return reply
    } catch (cause) {
      const kind = classifyRedisFailure(cause)
      for (let request = 0; request < requests; request += 1) recordRedisFailure(kind, breaker)
      const message = cause instanceof Error ? cause.message : String(cause)
      const failure = new StoreFailure(kind, { isOutage: isOutage(kind), message, cause })
      if (refusesWrites(kind)) {
        this.#refusedWrite = { until: this.#options.clock.monotonicNow() + writePauseMs, failure }
      }
      throw failure
    }
  }
}

export function circuitOpen(): StoreFailure {
  return new StoreFailure('circuit-open', { isOutage: true, message: 'circuit breaker open' })
}

/** Whether the server does not have the script, or denies EVALSHA. */
function isDigestRefused(error: unknown): boolean {
  return error instanceof Error && /^(NOSCRIPT|NOPERM.*'evalsha')/.test(error.message)
}

function refusesWrites(kind: RedisFailureKind): boolean {
  return kind === 'full' || kind === 'readonly' || kind === 'denied'
}
