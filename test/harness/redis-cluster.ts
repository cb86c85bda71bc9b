import { type RedisServer, startRedis } from './redis-server.js'

const slots = 16_384

/** Three masters that share the slots; nothing is replicated. */
export interface RedisCluster {
  readonly nodes: readonly RedisServer[]
  stop(): Promise<void>
}

/** Starts a Redis Cluster of real servers and waits until each of them says that it is whole. */
export async function startRedisCluster(directory: string): Promise<RedisCluster> {
  const nodes = await Promise.all(
    [0, 1, 2].map((n) =>
      startRedis({
        flags: ['--cluster-enabled', 'yes', '--cluster-config-file', `${directory}/node-${n}.conf`],
      }),
    ),
  )
  const share = Math.ceil(slots / nodes.length)
  for (const [n, { client }] of nodes.entries()) {
    await client.call('CLUSTER', 'ADDSLOTSRANGE', n * share, Math.min((n + 1) * share, slots) - 1)
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', n + 1)
    for (const { port } of nodes) await client.call('CLUSTER', 'MEET', '127.0.0.1', port)
  }
  for (const { client } of nodes) {
    for (const deadline = Date.now() + 20_000; ; ) {
      const info = String(await client.call('CLUSTER', 'INFO'))
      if (/cluster_state:ok/.test(info) && /cluster_known_nodes:3/.test(info)) break
      if (Date.now() > deadline) throw new Error(`the cluster did not come together: ${info}`)
    }
  }
  return {
    nodes,
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()))
    },
  }
}
