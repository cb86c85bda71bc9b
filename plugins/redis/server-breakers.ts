import { CircuitBreaker, type CircuitBreakerOptions } from './circuit-breaker.js'
import { type ClusterClient, isClusterClient, nodeName, type RedisNode } from './client-shape.js'
import { clusterSlot } from './cluster-slot.js'

/** The circuit breakers of one client: one for a single server, one for each master of a Cluster. */
export interface ServerBreakers {
  /** The breaker of the server that stores this key. `key` includes the key prefix of the client. */
  forKey(key: string): CircuitBreaker
  /** Whether any breaker is open. */
  readonly isOpen: boolean
  /** Calls `listener` each time one of them opens or closes. */
  onChange(listener: (isOpen: boolean) => void): void
  /** The breaker for failures of the client itself, such as a lost connection. */
  readonly forClient: CircuitBreaker
  /**
   * Lowers the time-out of probes to that of the requests. With a longer one a slow server would answer probes while
   * requests time out, and the breaker would close and open again and again.
   */
  limitProbeTimeout(timeoutMs: number): void
  /** Probes at once where a breaker is open. */
  probeNow(): void
  stop(): void
}

type Client = RedisNode | ClusterClient<RedisNode>

interface ServerBreakersOptions extends Omit<CircuitBreakerOptions, 'probe'> {
  /** Checks one server, or the client itself. Rejects if there is no answer within `timeoutMs`. */
  readonly probe: (target: Client, timeoutMs: number) => Promise<unknown>
}

class ProbeTimeout {
  ms = 250

  limit(timeoutMs: number): void {
    this.ms = Math.min(this.ms, timeoutMs)
  }
}

export function createServerBreakers(client: Client, options: ServerBreakersOptions): ServerBreakers {
  const { probe, ...rest } = options
  const timeout = new ProbeTimeout()
  const forClient = new CircuitBreaker({ ...rest, probe: () => probe(client, timeout.ms) })
  if (!isClusterClient(client)) return singleServerBreakers(forClient, timeout)
  return new ClusterBreakers(client, forClient, timeout, options)
}

/** One breaker for all keys. */
export function singleServerBreakers(breaker: CircuitBreaker, timeout = new ProbeTimeout()): ServerBreakers {
  return {
    forKey: () => breaker,
    get isOpen() {
      return breaker.isOpen
    },
    onChange: (listener) => breaker.onChange(listener),
    forClient: breaker,
    limitProbeTimeout: (timeoutMs) => timeout.limit(timeoutMs),
    probeNow: () => breaker.probeNow(),
    stop: () => breaker.stop(),
  }
}

/** A breaker for each master, so that one that hangs does not affect the keys of the others. */
class ClusterBreakers implements ServerBreakers {
  readonly #cluster: ClusterClient<RedisNode>
  readonly forClient: CircuitBreaker
  readonly #timeout: ProbeTimeout
  readonly #options: ServerBreakersOptions
  readonly #byNode = new Map<string, CircuitBreaker>()
  readonly #listeners: ((isOpen: boolean) => void)[] = []

  constructor(
    cluster: ClusterClient<RedisNode>,
    forClient: CircuitBreaker,
    timeout: ProbeTimeout,
    options: ServerBreakersOptions,
  ) {
    this.#cluster = cluster
    this.forClient = forClient
    this.#timeout = timeout
    this.#options = options
    cluster.on('-node', (node: RedisNode) => this.#remove(nodeName(node)))
  }

  forKey(key: string): CircuitBreaker {
    const name = this.#cluster.slots[clusterSlot(key)]?.[0]
    if (name === undefined || this.forClient.isOpen) return this.forClient
    return this.#byNode.get(name) ?? this.#add(name)
  }

  get isOpen(): boolean {
    return this.#all().some((breaker) => breaker.isOpen)
  }

  onChange(listener: (isOpen: boolean) => void): void {
    this.#listeners.push(listener)
    for (const breaker of this.#all()) breaker.onChange(listener)
  }

  limitProbeTimeout(timeoutMs: number): void {
    this.#timeout.limit(timeoutMs)
  }

  probeNow(): void {
    for (const breaker of this.#all()) breaker.probeNow()
  }

  stop(): void {
    for (const breaker of this.#all()) breaker.stop()
  }

  #all(): CircuitBreaker[] {
    return [this.forClient, ...this.#byNode.values()]
  }

  #add(name: string): CircuitBreaker {
    const { probe, ...rest } = this.#options
    const target = () => this.#cluster.nodes('master').find((node) => nodeName(node) === name) ?? this.#cluster
    const breaker = new CircuitBreaker({ ...rest, probe: () => probe(target(), this.#timeout.ms) })
    for (const listener of this.#listeners) breaker.onChange(listener)
    this.#byNode.set(name, breaker)
    return breaker
  }

  #remove(name: string): void {
    const breaker = this.#byNode.get(name)
    this.#byNode.delete(name)
    breaker?.retire()
  }
}
