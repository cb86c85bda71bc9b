// Clients are recognized by shape: an application may bring its own ioredis, of version 5 or 6.

/** A client for one server. */
export interface RedisClient {
  readonly status: string
  readonly options: {
    readonly host?: string | undefined
    readonly port?: number | undefined
    readonly keyPrefix?: unknown
  }
  ping(): Promise<unknown>
  client(...args: string[]): Promise<unknown>
  publish(channel: string, message: string): Promise<unknown>
  subscribe(...channels: string[]): Promise<unknown>
  connect(): Promise<void>
  disconnect(reconnect?: boolean): void
  duplicate(overrides: object): RedisClient
  on(event: string, listener: (...values: never[]) => void): unknown
  removeAllListeners(event: string): unknown
}

/** What is used of a node of a Cluster client. */
export type RedisNode = Pick<RedisClient, 'options' | 'ping'>

/** A client for a Redis Cluster. */
export interface ClusterClient<Node extends RedisNode = RedisClient> {
  readonly isCluster: boolean
  readonly options: { readonly keyPrefix?: unknown }
  /** The names of the nodes of each slot, the master first. */
  readonly slots: readonly (readonly string[] | undefined)[]
  nodes(role: 'master'): Node[]
  ping(): Promise<unknown>
  publish(channel: string, message: string): Promise<unknown>
  on(event: string, listener: (...values: never[]) => void): unknown
}

export function isClusterClient(client: object): client is ClusterClient {
  return 'isCluster' in client && client.isCluster === true
}

/** Whether the client is ioredis, so that connections of our own can be opened like it. */
export function isRedisClient(client: object): client is RedisClient {
  return 'connector' in client && 'duplicate' in client && typeof client.duplicate === 'function'
}

/** The prefix that the client itself adds to each key. */
export function clientKeyPrefix(client: object): string {
  return isClusterClient(client) || isRedisClient(client) ? String(client.options.keyPrefix ?? '') : ''
}

/** `host:port`, the name of a node of a Cluster. */
export function nodeName({ options: { host, port } }: RedisNode): string {
  return `${host}:${port}`
}
