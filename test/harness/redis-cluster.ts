import { clusterSlot } from '../../plugins/redis/cluster-slot.js'
import type { Certificate } from './certificates.js'
import { freePort, type RedisServer, startRedis } from './redis-server.js'
import { until } from './until.js'

const slotCount = 16_384
const masterCount = 3
/** Makes a replica sync at once. */
const fastSync = ['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1']
/** A short timeout makes the servers find each other fast. A long one prevents false failures on a busy machine. */
const nodeTimeoutMs = { joining: 1_000, joined: 3_600_000 } as const

/** A range of slots with its master and replica. */
export interface RedisShard {
  readonly master: RedisServer
  readonly replica: RedisServer | undefined
  /** Whether the key, including its prefix, belongs to the shard. */
  has(key: string): boolean
}

/** Three masters that share the slots. */
export interface RedisCluster {
  /** The masters in the order of their slots, then their replicas, if any. */
  readonly nodes: readonly RedisServer[]
  /** The current shards in the order of their slots. No server may hang. */
  shards(): Promise<RedisShard[]>
  /** Waits until every server reports a complete Cluster and each replica is in sync. */
  settle(): Promise<void>
  /**
   * Makes a replica take over, whatever the state of its master. The node timeout does not trigger a fail-over, as on a busy
   * machine running servers may exceed it, too.
   */
  takeOver(replica: RedisServer): Promise<void>
  /** Removes a dead server from the Cluster: all others forget it. */
  forget(server: RedisServer): Promise<void>
  stop(): Promise<void>
}

export interface RedisClusterOptions {
  /** Whether each master has a replica. Default false. */
  readonly replicas?: boolean
  /** The certificate of every server. They use TLS among each other, and for clients on `tlsPort`. */
  readonly certificate?: Certificate
  /** Added to the command line of every server. */
  readonly flags?: readonly string[]
}

interface Member {
  readonly server: RedisServer
  readonly busPort: number
  readonly id: string
}

/** Starts a Redis Cluster of real servers and waits until each of them reports that it is complete. */
export async function startRedisCluster(
  directory: string,
  { replicas = false, certificate, flags: more = [] }: RedisClusterOptions = {},
): Promise<RedisCluster> {
  const tls = certificate === undefined ? [] : ['--tls-cluster', 'yes', '--tls-replication', 'yes']
  const timeout = ['--cluster-node-timeout', String(nodeTimeoutMs.joining)]
  const options = [...timeout, ...(replicas ? fastSync : []), ...tls, ...more]
  const flags = ['--dir', directory, '--cluster-enabled', 'yes', ...options]
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
  await until(isComplete)
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

  async function isComplete(): Promise<boolean> {
    const infos = await Promise.all(members.map(({ server }) => server.client.call('CLUSTER', 'INFO')))
    const expected = ['cluster_state:ok', `cluster_known_nodes:${members.length}`]
    return infos.every((info) => expected.every((text) => String(info).includes(text)))
  }

  /** Whether every server, including replicas, knows all slot ranges. */
  async function isAgreed(): Promise<boolean> {
    const views = await Promise.all(members.map(({ server }) => rangesSeenBy(server)))
    return views.every((ranges) => ranges.flatMap(({ ports }) => ports).length === members.length)
  }

  async function settle(): Promise<void> {
    await until(async () => (await isComplete()) && (await isAgreed()))
    for (const { server } of members) {
      await server.client.config('SET', 'cluster-node-timeout', String(nodeTimeoutMs.joined)) // also on a restarted server
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
      if (master === undefined) throw new Error(`no master has the slots ${from} to ${to}`)
      return { master, replica, has: (key) => from <= clusterSlot(key) && clusterSlot(key) <= to }
    })
  }
}

async function startMember(file: string, flags: readonly string[], certificate?: Certificate): Promise<Member> {
  const [port, busPort] = [await freePort(), await freePort()]
  const options = ['--cluster-port', String(busPort), '--cluster-config-file', file]
  const server = await startRedis({
    port,
    flags: [...flags, ...options],
    ...(certificate === undefined ? {} : { certificate }),
  })
  return { server, busPort, id: String(await server.client.call('CLUSTER', 'MYID')) }
}

/** Slot ranges in order, with the ports of their servers, the master first. */
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
