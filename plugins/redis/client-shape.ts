// Clients are recognized by shape: an application may bring its own ioredis, of version 5 or 6. A wrapper that has only
// some of its members is used without tracking.

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

const clientMethods: readonly (keyof RedisClient)[] = [
  'ping',
  'client',
  'publish',
  'subscribe',
  'connect',
  'disconnect',
  'duplicate',
  'on',
  'removeAllListeners',
]
const clusterMethods: readonly (keyof ClusterClient)[] = ['nodes', 'ping', 'publish', 'on']

/** Whether keys are distributed over several servers, so that no command can read all of them. */
export function isCluster(client: object): boolean {
  return Reflect.get(client, 'isCluster') === true
}

/** Whether the client is a Cluster of ioredis, to whose nodes connections of our own can be opened. */
export function isClusterClient(client: object): client is ClusterClient {
  return isCluster(client) && Array.isArray(Reflect.get(client, 'slots')) && hasMethods(client, clusterMethods)
}

/** Whether the client is ioredis, so that connections of our own can be opened like it. */
export function isRedisClient(client: object): client is RedisClient {
  const isSingle = !isCluster(client) && 'connector' in client
  return isSingle && optionsOf(client) !== undefined && hasMethods(client, clientMethods)
}

/** The prefix that the client itself adds to each key. */
export function clientKeyPrefix(client: object): string {
  return String(optionsOf(client)?.keyPrefix ?? '')
}

/** Whether the cache can send commands with it. */
export function isCommandClient(value: unknown): boolean {
  return hasMethods(value, ['get', 'eval']) && !isNodeRedis(value)
}

/** What a value is that is no client for the cache; completes "it is …". `place` is an expression that yields it. */
export function describeOtherClient(value: unknown, place: string): string {
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? 'a function' : String(value)
  if (isNodeRedis(value)) return 'a client of node-redis'
  const names = Object.keys(value).filter((name) => isCommandClient(Reflect.get(value, name)))
  if (names.length === 0) return 'an object without get and eval'
  return `a map of clients, ${names.join(', ')}: pass one of them, such as redis: ${place}${member(names[0])}`
}

/** Its commands have other arguments. */
function isNodeRedis(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return ['isOpen', 'isReady'].every((name) => typeof Reflect.get(value, name) === 'boolean')
}

function member(name = ''): string {
  return /^[a-z_$][\w$]*$/i.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`
}

export function hasMethods(value: unknown, names: readonly string[]): boolean {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  return names.every((name) => typeof Reflect.get(value, name) === 'function')
}

function optionsOf(client: object): { readonly keyPrefix?: unknown } | undefined {
  const options: unknown = Reflect.get(client, 'options')
  return typeof options === 'object' && options !== null ? options : undefined
}

/** `host:port`, the name of a node of a Cluster. */
export function nodeName({ options: { host, port } }: RedisNode): string {
  return `${host}:${port}`
}
