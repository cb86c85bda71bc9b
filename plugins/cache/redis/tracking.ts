import { randomBytes } from 'node:crypto'
import { Cluster, type Redis, type RedisOptions } from 'ioredis'
import { keySlot } from '../../redis/cluster-slot.js'
import { guardedConnector } from '../../redis/connector.js'
import { classifyRedisFailure } from '../../redis/failure-kind.js'
import { nodeName } from '../../redis/server-breakers.js'
import { withTimeout } from '../../timeout.js'

/** Is told what the notice connections bring. */
export interface NoticeListener {
  /** These keys, with the whole prefix, are not what they were. */
  changed(keys: readonly string[]): void
  /** This was published on the channel. */
  published(message: string): void
  /** A server has lost everything. */
  flushed(): void
  /** Whether the notices of every server are known to arrive. */
  proven(isProven: boolean): void
  /** The server refuses to tell of changes; said once. */
  refused(error: unknown): void
}

export interface TrackingOptions {
  readonly client: Redis | Cluster
  /** What keys begin with on the wire. */
  readonly wirePrefix: string
  readonly keyPrefix: string
  /** On which processes tell one another what no notice could. */
  readonly channel: string
  /** Changes a key on the data connection and leaves nothing behind. */
  readonly touch: (key: string) => Promise<unknown>
  /** Whether a server is left alone for now, so that it is no wonder that it says nothing. */
  readonly isAway: (key: string) => boolean
  readonly listener: NoticeListener
}

/** Milliseconds between two looks at whether notices arrive, less up to a fifth of jitter. */
const proofEveryMs = 1_000
/** Milliseconds for a notice of our own change to arrive. */
const proofTimeoutMs = 500
const commandTimeoutMs = 500
const disconnectTimeoutMs = 100
const notices = '__redis__:invalidate'

/**
 * Hears of every change under the prefix, whoever makes it: one connection to each server, on which `CLIENT TRACKING …
 * BCAST` redirects to itself (docs/decisions/0008). That notices arrive is proved by making a change and seeing its
 * notice, at first, after every reconnect and whenever there has been none for a second.
 */
export class Tracking {
  readonly #options: TrackingOptions
  readonly #id = randomBytes(6).toString('hex')
  readonly #lines = new Map<string, NoticeLine>()
  readonly #channel: string
  #isProven = false
  #isRefused = false
  #timer: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(options: TrackingOptions) {
    this.#options = options
    this.#channel = `${options.wirePrefix}~changes`
    const { client } = options
    client.on('ready', () => this.hurry())
    if (client instanceof Cluster) {
      client.on('+node', () => this.hurry())
      client.on('-node', () => this.hurry())
    }
    this.#look()
  }

  /** Whether every server's notices are known to arrive. */
  get isProven(): boolean {
    return this.#isProven
  }

  /** Looks at once, because something has changed. */
  hurry(): void {
    for (const line of this.#lines.values()) line.doubt()
    clearTimeout(this.#timer)
    this.#look()
  }

  /** Where servers refuse to track: tells the other processes of our own changes, as well as we can. */
  announce(wireKey: string): void {
    if (!this.#isRefused) return
    const message = JSON.stringify({ from: this.#id, keys: [wireKey] })
    this.#options.client.publish(this.#channel, message).catch(() => undefined) // memory is trusted briefly anyway
  }

  close(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
    for (const line of this.#lines.values()) line.close()
    this.#lines.clear()
  }

  #look(): void {
    if (this.#isStopped) return
    this.#matchServers()
    for (const line of this.#lines.values()) line.prove()
    this.#timer = setTimeout(() => this.#look(), proofEveryMs * (1 - Math.random() / 5))
    this.#timer.unref()
  }

  /** A line for each server that there is, and none for one that has gone or is no master any more. */
  #matchServers(): void {
    const { client } = this.#options
    const servers: [string, Redis][] =
      client instanceof Cluster ? client.nodes('master').map((node) => [nodeName(node), node]) : [['', client]]
    const names = new Set(servers.map(([name]) => name))
    for (const [name, line] of this.#lines) {
      if (names.has(name)) continue
      line.close()
      this.#lines.delete(name)
    }
    for (const [name, server] of servers) {
      if (!this.#lines.has(name)) this.#lines.set(name, this.#open(name, server))
    }
    // A question is how the client learns who has the slots of a master that has gone.
    for (const name of this.#unheard()) this.#options.touch(this.#canaryOf(name)).catch(() => undefined)
    this.#tell()
  }

  /** Masters that have slots, as far as the client knows, and whom nobody listens to. */
  #unheard(): string[] {
    const { client } = this.#options
    if (!(client instanceof Cluster)) return []
    const owners = new Set(client.slots.flatMap((names) => names?.[0] ?? []))
    return [...owners].filter((name) => !this.#lines.has(name))
  }

  #open(name: string, server: Redis): NoticeLine {
    const { listener, wirePrefix, touch, isAway } = this.#options
    return new NoticeLine(server, {
      wirePrefix,
      changes: this.#channel,
      channel: this.#options.channel,
      id: this.#id,
      canary: () => this.#canaryOf(name),
      touch,
      isAway,
      changed: (keys) => listener.changed(keys),
      published: (message) => listener.published(message),
      flushed: () => listener.flushed(),
      stateChanged: () => this.#tell(),
      refused: (error) => {
        if (this.#isRefused) return
        this.#isRefused = true
        listener.refused(error)
      },
    })
  }

  /** A key that the server of this name has; in a Cluster there is one for every slot, if one looks for it. */
  #canaryOf(name: string): string {
    const { client, keyPrefix, wirePrefix } = this.#options
    for (let attempt = 0; ; attempt += 1) {
      const key = `~proof:${this.#id}:${attempt}`
      if (!(client instanceof Cluster) || attempt > 2_000) return keyPrefix + key
      if (client.slots[keySlot(wirePrefix + key)]?.[0] === name) return keyPrefix + key
    }
  }

  #tell(): void {
    const asked = [...this.#lines.values()].filter((line) => !line.isAway)
    const unheard = this.#unheard().filter((name) => !this.#options.isAway(this.#canaryOf(name)))
    if (asked.length === 0 && unheard.length === 0 && this.#lines.size > 0) return // all are left alone: nothing is heard, nothing is asked
    const isProven = unheard.length === 0 && asked.length > 0 && asked.every((line) => line.isProven)
    if (isProven === this.#isProven) return
    this.#isProven = isProven
    this.#options.listener.proven(isProven)
  }
}

interface LineOptions {
  readonly wirePrefix: string
  readonly changes: string
  readonly channel: string
  readonly id: string
  readonly canary: () => string
  readonly touch: (key: string) => Promise<unknown>
  readonly isAway: (key: string) => boolean
  changed(keys: readonly string[]): void
  published(message: string): void
  flushed(): void
  stateChanged(): void
  refused(error: unknown): void
}

/** The notice connection to one server. */
class NoticeLine {
  readonly #options: LineOptions
  readonly #connection: Redis
  #isArmed = false
  #isProven = false
  #lastNoticeAt = Number.NEGATIVE_INFINITY
  #isProving = false
  #seen: (() => void) | undefined

  constructor(server: Redis, options: LineOptions) {
    this.#options = options
    const overrides = {
      protocol: 2, // notices of changes are dropped on RESP3
      keyPrefix: '',
      lazyConnect: true,
      enableOfflineQueue: false,
      autoResubscribe: false, // without tracking a subscription would look well and hear nothing
      autoResendUnfulfilledCommands: false,
      enableAutoPipelining: false,
      maxRetriesPerRequest: 0,
      commandTimeout: commandTimeoutMs,
      disconnectTimeout: disconnectTimeoutMs,
      readOnly: false,
      Connector: guardedConnector(server.options), // `close` may end a TLS handshake
      retryStrategy: (attempt: number) => Math.min(50 * 2 ** (attempt - 1), 500) * (1 - Math.random() / 5),
    } satisfies RedisOptions
    this.#connection = server.duplicate(overrides)
    this.#connection.on('error', () => undefined) // the data connection tells of the outage
    this.#connection.on('ready', () => void this.#arm())
    this.#connection.on('close', () => this.#lose())
    this.#connection.on('messageBuffer', (channel: Buffer, message: Buffer | Buffer[] | null) =>
      this.#hear(String(channel), message),
    )
    this.#connection.connect().catch(() => undefined)
  }

  get isProven(): boolean {
    return this.#isProven
  }

  get isAway(): boolean {
    return this.#options.isAway(this.#options.canary())
  }

  /** The next proof has to be a new one. */
  doubt(): void {
    this.#lastNoticeAt = Number.NEGATIVE_INFINITY
  }

  /** Makes sure that notices arrive, where none has for a while. */
  prove(): void {
    if (!this.#isArmed || this.#isProving) return
    if (this.#isProven && performance.now() - this.#lastNoticeAt < proofEveryMs) return
    void this.#prove()
  }

  close(): void {
    this.#connection.removeAllListeners('close')
    this.#connection.disconnect()
  }

  async #arm(): Promise<void> {
    const connection = this.#connection
    const { wirePrefix, channel, changes } = this.#options
    try {
      const id = await connection.client('ID')
      await connection.client('TRACKING', 'ON', 'REDIRECT', id, 'BCAST', 'PREFIX', wirePrefix)
    } catch (error) {
      if (connection.status !== 'ready' || !isRefusal(error)) {
        this.#reconnect()
        return
      }
      this.#options.refused(error)
      await connection.subscribe(channel, changes).catch(() => undefined)
      return
    }
    connection.subscribe(channel).catch(() => undefined) // what it would tell lies in Redis too, for a while
    try {
      await connection.subscribe(notices)
    } catch {
      this.#reconnect()
      return
    }
    this.#isArmed = true
    void this.#prove()
  }

  async #prove(): Promise<void> {
    this.#isProving = true
    const seen = new Promise<void>((resolve) => {
      this.#seen = resolve
    })
    const key = this.#options.canary()
    try {
      await this.#options.touch(key)
    } catch {
      this.#isProving = false
      this.#settle(false) // the server did not take the change: that says nothing of the notices
      return
    }
    try {
      await withTimeout(() => seen, proofTimeoutMs)
      this.#isProving = false
      if (this.#isArmed) this.#settle(true)
    } catch {
      this.#isProving = false
      this.#settle(false)
      this.#reconnect()
    }
  }

  #hear(channel: string, message: Buffer | Buffer[] | null): void {
    if (channel === this.#options.channel) this.#options.published(String(message))
    if (channel === this.#options.changes) this.#hearAnnouncement(String(message))
    if (channel !== notices) return
    this.#lastNoticeAt = performance.now()
    if (message === null) this.#options.flushed()
    else this.#hearKeys(message)
  }

  #hearKeys(message: Buffer | Buffer[]): void {
    const keys = (Array.isArray(message) ? message : [message]).map(String)
    const own = `${this.#options.wirePrefix}~proof:`
    if (keys.some((key) => key.startsWith(`${own}${this.#options.id}`))) this.#seen?.()
    const others = keys.filter((key) => !key.startsWith(own))
    if (others.length > 0) this.#options.changed(others)
  }

  /** What another process of ours says that it has changed; anybody may publish, so anything may come. */
  #hearAnnouncement(message: string): void {
    try {
      const { from, keys } = JSON.parse(message)
      if (from === this.#options.id || !Array.isArray(keys)) return
      this.#options.changed(keys.filter((key) => typeof key === 'string'))
    } catch {
      // no announcement of ours
    }
  }

  #lose(): void {
    this.#isArmed = false
    this.#settle(false)
  }

  #reconnect(): void {
    this.#isArmed = false
    this.#connection.disconnect(true)
  }

  #settle(isProven: boolean): void {
    if (this.#isProven === isProven) return
    this.#isProven = isProven
    this.#options.stateChanged()
  }
}

/** Whether the server will not track changes for us, now or later, in whatever words it says so. */
function isRefusal(error: unknown): boolean {
  const kind = classifyRedisFailure(error)
  return error instanceof Error && error.name === 'ReplyError' && kind !== 'loading' && kind !== 'auth'
}
