import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import t from 'tap'
import { startRedis } from './harness/redis-server.js'

const redis = await startRedis()
t.teardown(() => redis.stop())

/** Starts an example as the README says and gives the address from its log. */
async function startExample(file: string, environment: Record<string, string>): Promise<[ChildProcess, string]> {
  const child = spawn(process.execPath, [file], {
    env: { PATH: process.env.PATH, PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface(child.stdout)) {
    const address = /Server listening at (http:[^"]+)/.exec(line)?.[1]
    if (address !== undefined) return [child, address]
  }
  throw new Error(`${file} ended without listening`)
}

for (const { name, environment } of [
  { name: 'in memory', environment: {} },
  { name: 'in Redis', environment: { REDIS_URL: redis.url } },
]) {
  t.test(`examples/cache.js loads once and then answers from the cache ${name}`, async (t) => {
    const [child, address] = await startExample('examples/cache.js', environment)
    t.teardown(async () => {
      child.kill()
      await once(child, 'exit')
    })
    const first = await fetch(`${address}/rates`)
    t.strictSame(await first.json(), { EUR: 1, GBP: 0.84 })
    t.equal(first.headers.get('x-read'), 'fresh; miss')
    const second = await fetch(`${address}/rates`)
    t.equal(second.headers.get('x-read'), 'fresh; hit')
    t.equal(second.headers.get('etag'), first.headers.get('etag'))
  })
}
