import { clusterSlot } from '../../plugins/redis/cluster-slot.js'
import type { Certificate } from './certificates.js'
import { freePort, type RedisServer, startRedis } from './redis-server.js'
import { until } from './until.js'

const slotCount = 16_384
const masterCount = 3
/** A replica syncs at once. */
const haste = ['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1']
/** Milliseconds of silence after which a server counts as failed: few until all have found one another, then never. */
const nodeTimeoutMs = { joining: 1_000, joined: 3_600_000 } as const

/** Who has a share of the slots: the server that answers, and the one that takes over when that is gone. */
export interface RedisShard {
  readonly master: RedisServer
  readonly replica: RedisServer | undefined
  /** Whether the key, with its whole prefix, belongs to the shard. */
  has(key: string): boolean
}

/** Three masters that share the slots. */
export interface RedisCluster {
  /** The masters in the order of their slots, then the replica of each, where there are replicas. */
  readonly nodes: readonly RedisServer[]
  /** Who has what at this moment, in the order of the slots. No server may hang. */
  shards(): Promise<RedisShard[]>
  /** Waits until the Cluster is whole in the eyes of every server, and each replica has all that its master had. */
  settle(): Promise<void>
  /**
   * Makes a replica take over, whatever has become of its master. Servers are never found failed by their silence: on a busy machine
   * those that run are silent too.
   */
  takeOver(replica: RedisServer): Promise<void>
  /** Takes a server that is gone out of the Cluster for good: all others forget it. */
  forget(server: RedisServer): Promise<void>
  stop(): Promise<void>
}

export interface RedisClusterOptions {
  /** Whether each master has a replica. Default false. */
  readonly replicas?: boolean
  /** Of every server: they speak TLS to one another, and to clients on `tlsPort`. */
  readonly certificate?: Certificate
  /** Added to the command line of every server. */
  readonly flags?: readonly string[]
}

interface Member {
  readonly server: RedisServer
  readonly busPort: number
  readonly id: string
}

/** Starts a Redis Cluster of real servers and waits until each of them says that it is whole. */
export async function startRedisCluster(
  directory: string,
  { replicas = false, certificate, flags: more = [] }: RedisClusterOptions = {},
): Promise<RedisCluster> {
  const tls = certificate === undefined ? [] : ['--tls-cluster', 'yes', '--tls-replication', 'yes']
  const timeout = ['--cluster-node-timeout', String(nodeTimeoutMs.joining)]
  const own = [...timeout, ...(replicas ? haste : []), ...tls, ...more]
  const flags = ['--dir', directory, '--cluster-enabled', 'yes', ...own]
  const started = await Promise.all(
    Array.from({ length: masterCount * (replicas ? 2 : 1) }, (_, n) =>
      startMember(`${directory}/node-${n}.conf`, flags, certificate),
    ),
  )
  const nodes = started.map(({ server }) => server)
  let members = started

  const share = Math.ceil(slotCount / masterCount)
  for (const [n, { server }] of members.slice(0, masterCount).entries()) {
    await server.client.call('CLUSTER', 'ADDSLOTSRANGE', n * share, Math.min((n + 1) * share, slotCount) - 1)
    await server.client.call('CLUSTER', 'SET-CONFIG-EPOCH', n + 1)
  }
  for (const { server } of members) {
    for (const { server: other, busPort } of members) {
      await server.client.call('CLUSTER', 'MEET', '127.0.0.1', other.tlsPort || other.port, busPort)
    }
  }
  await until(isWhole)
  for (const [n, { server }] of members.slice(masterCount).entries()) {
    await server.client.call('CLUSTER', 'REPLICATE', members[n]?.id ?? '')
  }
  await settle()
  return {
    nodes,
    shards,
    settle,
    async takeOver({ client }) {
      await client.call('CLUSTER', 'FAILOVER', 'TAKEOVER')
      await until(async () => {
        const [role] = await client.role()
        return role === 'master' && String(await client.call('CLUSTER', 'INFO')).includes('cluster_state:ok')
      })
    },
    async forget(server) {
      const id = members.find((member) => member.server === server)?.id
      members = members.filter((member) => member.server !== server)
      for (const { server: other } of members) await other.client.call('CLUSTER', 'FORGET', id ?? '')
    },
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()))
    },
  }

  async function isWhole(): Promise<boolean> {
    const infos = await Promise.all(members.map(({ server }) => server.client.call('CLUSTER', 'INFO')))
    const signs = ['cluster_state:ok', `cluster_known_nodes:${members.length}`]
    return infos.every((info) => signs.every((sign) => String(info).includes(sign)))
  }

  /** Whether every server knows who has what, the replicas too. */
  async function isAgreed(): Promise<boolean> {
    const views = await Promise.all(members.map(({ server }) => rangesSeenBy(server)))
    return views.every((ranges) => ranges.flatMap(({ ports }) => ports).length === members.length)
  }

  async function settle(): Promise<void> {
    await until(async () => (await isWhole()) && (await isAgreed()))
    for (const { server } of members) {
      await server.client.config('SET', 'cluster-node-timeout', String(nodeTimeoutMs.joined)) // one that started again too
    }
    for (const { master, replica } of await shards()) {
      if (replica === undefined) continue
      const written = numberIn(await master.client.info('replication'), 'master_repl_offset')
      await until(async () => {
        const info = await replica.client.info('replication')
        return info.includes('master_link_status:up') && numberIn(info, 'slave_repl_offset') >= written
      })
    }
  }

  async function shards(): Promise<RedisShard[]> {
    const running = members.find(({ server }) => server.pid !== -1)
    const ranges = running === undefined ? [] : await rangesSeenBy(running.server)
    return ranges.map(({ from, to, ports }) => {
      const [master, replica] = ports.map((port) => nodes.find((node) => node.port === port))
      if (master === undefined) throw new Error(`nobody has the slots ${from} to ${to}`)
      return { master, replica, has: (key) => from <= clusterSlot(key) && clusterSlot(key) <= to }
    })
  }
}

async function startMember(file: string, flags: readonly string[], certificate?: Certificate): Promise<Member> {
  const [port, busPort] = [await freePort(), await freePort()]
  const own = ['--cluster-port', String(busPort), '--cluster-config-file', file]
  const server = await startRedis({
    port,
    flags: [...flags, ...own],
    ...(certificate === undefined ? {} : { certificate }),
  })
  return { server, busPort, id: String(await server.client.call('CLUSTER', 'MYID')) }
}

/** Ranges of slots in their order, with the ports of those who have them, the master's first. */
async function rangesSeenBy({ client }: RedisServer): Promise<{ from: number; to: number; ports: number[] }[]> {
  const ranges = (await client.cluster('SLOTS')).map(([from, to, ...places]) => ({
    from: Number(from),
    to: Number(to),
    ports: places.map((place) => Number(Array.isArray(place) ? place[1] : Number.NaN)),
  }))
  return ranges.sort((one, other) => one.from - other.from)
}

function numberIn(info: string, field: string): number {
  return Number(info.match(new RegExp(`${field}:(\\d+)`))?.[1] ?? Number.NaN)
}
