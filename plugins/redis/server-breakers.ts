import { Cluster, type Redis } from 'ioredis'
import { Breaker, type BreakerOptions } from './circuit-breaker.js'
import { keySlot } from './cluster-slot.js'

/** The breakers of one client: one for a server, one for each master of a Cluster. */
export interface Breakers {
  /** The breaker of the server that has this key, with the client's own key prefix, if there is one. */
  of(key: string): Breaker
  /** Whether any of them is open. */
  readonly isOpen: boolean
  /** Calls back whenever one of them opens or closes. */
  onChange(listener: (isOpen: boolean) => void): void
  /** For what concerns the client as a whole, such as a lost connection. */
  readonly whole: Breaker
  /**
   * Milliseconds in which a probe has to be answered. Who gives up sooner than that lowers it: else probes would call well what
   * his requests find failing, and close the breaker again and again.
   */
  probeTimeoutMs: number
  /** Probes at once whatever is open. */
  probeNow(): void
  stop(): void
}

export interface BreakersOptions extends Omit<BreakerOptions, 'probe'> {
  /** Asks one server, or the client as a whole, whether it works; rejects when it does not. */
  readonly probe: (client: Redis | Cluster) => Promise<unknown>
}

const answerWithinMs = 250

export function createBreakers(client: Redis | Cluster, options: BreakersOptions): Breakers {
  const { probe, ...rest } = options
  const whole = new Breaker({ ...rest, probe: () => probe(client) })
  return client instanceof Cluster ? new ClusterBreakers(client, whole, options) : soleBreaker(whole)
}

/** One breaker for whatever key. */
export function soleBreaker(breaker: Breaker): Breakers {
  return {
    of: () => breaker,
    get isOpen() {
      return breaker.isOpen
    },
    onChange: (listener) => breaker.onChange(listener),
    whole: breaker,
    probeTimeoutMs: answerWithinMs,
    probeNow: () => breaker.hurry(),
    stop: () => breaker.stop(),
  }
}

/** `host:port`, as a Cluster names its nodes. */
export function nodeName(node: Redis): string {
  return `${node.options.host}:${node.options.port}`
}

/** One master that hangs leaves the keys of the others alone; one that has been replaced takes its breaker along. */
class ClusterBreakers implements Breakers {
  readonly #cluster: Cluster
  readonly whole: Breaker
  probeTimeoutMs = answerWithinMs
  readonly #options: BreakersOptions
  readonly #byNode = new Map<string, Breaker>()
  readonly #listeners: ((isOpen: boolean) => void)[] = []

  constructor(cluster: Cluster, whole: Breaker, options: BreakersOptions) {
    this.#cluster = cluster
    this.whole = whole
    this.#options = options
    cluster.on('-node', (node: Redis) => this.#forget(nodeName(node)))
  }

  of(key: string): Breaker {
    const name = this.#cluster.slots[keySlot(key)]?.[0]
    if (name === undefined || this.whole.isOpen) return this.whole
    return this.#byNode.get(name) ?? this.#add(name)
  }

  get isOpen(): boolean {
    return this.whole.isOpen || [...this.#byNode.values()].some((breaker) => breaker.isOpen)
  }

  onChange(listener: (isOpen: boolean) => void): void {
    this.#listeners.push(listener)
    this.whole.onChange(listener)
    for (const breaker of this.#byNode.values()) breaker.onChange(listener)
  }

  probeNow(): void {
    for (const breaker of [this.whole, ...this.#byNode.values()]) breaker.hurry()
  }

  stop(): void {
    for (const breaker of [this.whole, ...this.#byNode.values()]) breaker.stop()
  }

  #add(name: string): Breaker {
    const { probe, ...rest } = this.#options
    const breaker = new Breaker({
      ...rest,
      probe: () => probe(this.#cluster.nodes('master').find((node) => nodeName(node) === name) ?? this.#cluster),
    })
    for (const listener of this.#listeners) breaker.onChange(listener)
    this.#byNode.set(name, breaker)
    return breaker
  }

  #forget(name: string): void {
    const breaker = this.#byNode.get(name)
    this.#byNode.delete(name)
    breaker?.retire()
  }
}
