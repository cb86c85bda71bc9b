import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { startRedis } from './harness/redis-server.js'
import { until } from './harness/until.js'

const redis = await startRedis()
t.teardown(() => redis.stop())

/** Starts an example and returns the address from its log. */
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

/** Starts an example that is stopped when the test ends. */
async function serve(t: Test, file: string, environment: Record<string, string>): Promise<string> {
  const [child, address] = await startExample(file, environment)
  t.teardown(async () => {
    child.kill()
    await once(child, 'exit')
  })
  return address
}

/** The price of the offer in the response of the example. */
async function priceOf(address: string, offer: string): Promise<number> {
  const answer = (await (await fetch(`${address}/offers/${offer}`)).json()) as { price: number }
  return answer.price
}

/** Changes a price. Retries after a 202, which means that the purge is queued. */
async function changePrice(address: string, good: string, price: number): Promise<void> {
  await until(async () => (await fetch(`${address}/prices/${good}/${price}`, { method: 'PUT' })).status === 200)
}

const places: { name: string; environment: Record<string, string> }[] = [
  { name: 'in memory', environment: {} },
  { name: 'in Redis', environment: { REDIS_URL: redis.url } },
]

for (const { name, environment } of places) {
  t.test(`examples/cache.js loads once and then serves from the cache ${name}`, async (t) => {
    const address = await serve(t, 'examples/cache.js', environment)
    const first = await fetch(`${address}/rates`)
    t.strictSame(await first.json(), { EUR: 1, GBP: 0.84 })
    t.equal(first.headers.get('x-read'), 'fresh; miss')
    // The example has the default timeouts: a read that times out is a miss.
    await until(async () => (await fetch(`${address}/rates`)).headers.get('x-read') === 'fresh; hit')
  })
}

for (const { name, environment } of places) {
  t.test(`examples/purge.js regenerates offers when a price changes, ${name}`, async (t) => {
    const address = await serve(t, 'examples/purge.js', environment)
    t.strictSame([await priceOf(address, 'breakfast'), await priceOf(address, 'night')], [7, 3])
    await changePrice(address, 'coffee', 6)
    t.strictSame([await priceOf(address, 'breakfast'), await priceOf(address, 'night')], [9, 3])
    await changePrice(address, 'tea', 1)
    t.strictSame([await priceOf(address, 'breakfast'), await priceOf(address, 'night')], [7, 1])
  })
}

t.test('examples/edge.js serves the stored response until its data are purged', async (t) => {
  const address = await serve(t, 'examples/edge.js', {})
  const first = await fetch(`${address}/rates?currency=EUR&utm_source=mail`)
  t.strictSame(await first.json(), { load: 1, currency: 'EUR', rate: 1 })
  t.match(first.headers.get('cache-status'), /^Vitrine; fwd=uri-miss; /)
  const second = await fetch(`${address}/rates?currency=EUR`)
  t.match(second.headers.get('cache-status'), /^Vitrine; hit; ttl=\d+$/)
  t.equal(second.headers.get('surrogate-key'), 'rates')
  await fetch(`${address}/purge`, { method: 'POST' })
  const third = await fetch(`${address}/rates?currency=EUR`)
  t.strictSame(await third.json(), { load: 2, currency: 'EUR', rate: 1 })
})

t.test('examples/purge.js shares its offers and their purges with another process on the same Redis', async (t) => {
  await redis.client.flushall()
  const environment = { REDIS_URL: redis.url }
  const [one, two] = [
    await serve(t, 'examples/purge.js', environment),
    await serve(t, 'examples/purge.js', environment),
  ]
  // The other process has a different price. It loads on its own if a read of Redis times out.
  await until(async () => {
    await changePrice(one, 'tea', 5)
    return (await priceOf(one, 'night')) === 5 && (await priceOf(two, 'night')) === 5
  })
  await changePrice(two, 'tea', 2)
  t.equal(await priceOf(two, 'night'), 2)
})

t.test('examples/stale.js serves stale data when its source fails, and marks them', async (t) => {
  const address = await serve(t, 'examples/stale.js', {})
  const first = await fetch(`${address}/weather`)
  t.strictSame(await first.json(), { degrees: 21 })
  t.equal(first.headers.get('x-read'), 'fresh; miss')
  let second = first
  await until(async () => {
    second = await fetch(`${address}/weather`)
    return second.headers.get('x-read') !== 'fresh; hit' // the entry is fresh for one second
  })
  t.equal(second.status, 200)
  t.match(await second.json(), { degrees: 21, stale: true, as_of: /^20/ })
  t.equal(second.headers.get('x-read'), 'stale; stale-if-error')
  const explanation = await (await fetch(`${address}/explain`)).json()
  t.match(explanation, { state: 'stale-if-error', redis: 'memory-only' })
})

t.test('examples/degradation.test.js passes without Redis', async (t) => {
  const child = spawn(process.execPath, ['examples/degradation.test.js'], {
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text
  })
  const [code] = await once(child, 'close')
  t.equal(code, 0, output)
})
