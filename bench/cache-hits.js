// The cost of a hit. Method: one process and a redis-server on loopback. The cache and its baseline take turns within each
// round. The ratio is the median of the ratios of the rounds. The ratio of the minimum times is printed next to it: it is
// less sensitive to other work on the machine. Memory is measured in separate processes.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { LRUCache } from 'lru-cache'
import { interleave, line, median, sellers, startApp, startRedis, title, untilTracking } from './cache-kit.js'

const entries = 100_000
const [, , task] = process.argv
if (task === 'hold-cache' || task === 'hold-lru') {
  console.log(JSON.stringify(await measureEntries(task)))
} else {
  const redis = await startRedis()
  const never = () => {
    throw new Error('expected a hit')
  }
  await hitsInMemory()
  await hitsInRedis()
  await redis.stop()
  await memoryPerEntry()

  async function hitsInMemory() {
    title('(a) hit in memory, 500 sellers through fetch, with Redis; compared with async lru-cache get')
    const app = await startApp({ url: redis.url })
    await untilTracking(app)
    const list = sellers(500)
    await app.cache.fetch('sellers:1', async () => list)
    await untilStored('cat_sellers:1')
    const lru = new LRUCache({ max: 100_000 })
    lru.set('sellers:1', list)
    const lruGet = async (key) => lru.get(key)
    const read = () => app.cache.fetch('sellers:1', never)
    const { memory: before } = app.cache.stats().hits
    for (const callers of [1, 64]) {
      const reads = 256_000
      const run = (one) => async () => {
        const caller = async () => {
          for (let turn = 0; turn < reads / callers; turn += 1) await one()
        }
        await Promise.all(Array.from({ length: callers }, caller))
      }
      const [raw, ours] = await interleave([run(() => lruGet('sellers:1')), run(read)], { rounds: 15 })
      const ns = ({ ms }) => `${Math.round((ms * 1e6) / reads)} ns`
      line(`${callers} callers (${ns(ours)} against ${ns(raw)})`, ratioText(ours), bound(ours.ratio, 2))
    }
    console.log(`    hits counted in memory: ${app.cache.stats().hits.memory - before}`)
    await app.close()
  }

  async function hitsInRedis() {
    title(
      '(b) hit in Redis, memory is limited to one entry, two sets of keys alternate; compared with GET + JSON.parse',
    )
    // Parsing 64 lists of 10,000 exceeds the default read timeout. missesByDefault() counts that.
    const options = { maxMemoryEntries: 1, readTimeoutMs: 10_000 }
    const app = await startApp({ url: redis.url, redisOptions: { commandTimeoutMs: 10_000 }, ...options })
    await untilTracking(app)
    const raw = await rawClient(app, {})
    for (const count of [1, 500, 10_000]) await redisRows(app, raw, count, '')
    await missesByDefault()
    const pairs = Array.from({ length: entries }, (_none, index) => [`other:${index}`, 'x'.repeat(50)])
    for (let at = 0; at < entries; at += 5_000) await redis.client.mset(pairs.slice(at, at + 5_000).flat())
    await redisRows(app, raw, 500, ', 100,000 keys of other clients')

    title('    for information: enableAutoPipelining on the client, compared with raw without it')
    const pipelined = await rawClient(app, { enableAutoPipelining: true })
    const pipelinedApp = await startApp({ redis: pipelined, ...options })
    await untilTracking(pipelinedApp)
    for (const count of [1, 500]) {
      const keys = await fill(app, count)
      const readWith = (reader) => alternate(keys, 64, batches(count), reader)
      const sides = [
        readWith(getParsed(raw)),
        readWith(getParsed(pipelined)),
        readWith(hit(app)),
        readWith((key) => pipelinedApp.cache.fetch(key, never)),
      ]
      const [, rawPiped, plain, ours] = await interleave(sides, { rounds: 9 })
      line(`${count} items, 64 callers on 64 keys: raw with it`, ratioText(rawPiped))
      line(`${count} items, 64 callers on 64 keys: cache without it`, ratioText(plain))
      line(`${count} items, 64 callers on 64 keys: cache with it`, ratioText(ours))
    }
    await pipelinedApp.close()
    pipelined.disconnect()
    raw.disconnect()
    await app.close()
  }

  async function redisRows(app, raw, count, note) {
    const keys = await fill(app, count)
    const before = app.cache.stats().hits
    const rounds = count === 10_000 ? 11 : 15
    const singles = count === 1 ? 1_000 : count === 500 ? 200 : 16
    const one = [alternate(keys, 1, singles, getParsed(raw)), alternate(keys, 1, singles, hit(app))]
    const [rawOne, oursOne] = await interleave(one, { rounds })
    const us = ({ ms }) => `${Math.round((ms * 1e3) / singles)} us`
    const label = `${count} items${note}`
    line(`${label}, 1 caller (${us(oursOne)} / ${us(rawOne)})`, ratioText(oursOne), bound(oursOne.ratio, 1.15))
    const many = [alternate(keys, 64, batches(count), getParsed(raw)), alternate(keys, 64, batches(count), hit(app))]
    const [, oursMany] = await interleave(many, { rounds })
    line(`${label}, 64 callers on 64 keys`, ratioText(oursMany), bound(oursMany.ratio, 1.15))
    const crowd = (reader) => alternate(keys, 64, batches(count), reader, true)
    const [, oursCrowd] = await interleave([crowd(getParsed(raw)), crowd(hit(app))], { rounds })
    const maxRatio = count === 1 ? 0.25 : 0.05
    line(`${label}, 64 callers on one key`, ratioText(oursCrowd, 3), bound(oursCrowd.ratio, maxRatio))
    const { memory, redis: inRedis } = app.cache.stats().hits
    console.log(`    hits counted: ${inRedis - before.redis} in Redis, ${memory - before.memory} in memory`)
  }

  async function missesByDefault() {
    const app = await startApp({ url: redis.url, maxMemoryEntries: 1 })
    await untilTracking(app)
    let loads = 0
    const loader = async () => {
      loads += 1
      return 'loaded'
    }
    const keys = Array.from({ length: 64 }, (_none, index) => `list:10000:${index}`)
    await Promise.all(keys.map((key) => app.cache.fetch(key, loader)))
    const { failures } = app.cache.stats()
    line('10000 items, 64 on 64 keys, default readTimeoutMs: loads', `${loads} of 64`, {
      target: '0',
      met: loads === 0,
    })
    console.log(`    failures counted: ${JSON.stringify(failures)}`)
    await app.close()
  }

  function hit(app) {
    return (key) => app.cache.fetch(key, never)
  }

  function getParsed(client) {
    return async (key) => JSON.parse(await client.get(`raw:${key}`))
  }

  function batches(count) {
    return count === 1 ? 20 : count === 500 ? 6 : 2
  }

  /** Reads in batches that alternate between two sets of keys. */
  function alternate(keys, width, times, reader, isOneKey = false) {
    let turn = 0
    return async () => {
      for (let time = 0; time < times; time += 1) {
        turn += 1
        const offset = (turn % 2) * 64
        if (width === 1) await reader(keys[offset])
        else {
          await Promise.all(
            Array.from({ length: width }, (_none, index) => reader(keys[offset + (isOneKey ? 0 : index)])),
          )
        }
      }
    }
  }

  async function fill(app, count) {
    const list = sellers(count)
    const text = JSON.stringify(list)
    const keys = Array.from({ length: 128 }, (_none, index) => `list:${count}:${index}`)
    for (const key of keys) {
      await app.cache.set(key, list)
      await redis.client.set(`raw:${key}`, text)
    }
    return keys
  }

  async function rawClient(app, extra) {
    const client = new Redis({ ...app.redis.options, ...extra })
    client.on('error', () => undefined) // the server stops first
    await client.connect()
    return client
  }

  async function untilStored(key) {
    while ((await redis.client.exists(key)) === 0);
    await new Promise((resolve) => setTimeout(resolve, 100)) // for the invalidation of this write
  }
}

async function memoryPerEntry() {
  title('(c) memory per entry, 100,000 of {id,name}, in separate processes, heap after gc, three times each')
  const measured = { cache: [], lru: [] }
  for (let run = 0; run < 3; run += 1) {
    for (const kind of ['lru', 'cache']) measured[kind].push(await measureInChild(`hold-${kind}`))
  }
  const [ours, lru] = [measured.cache, measured.lru].map((runs) => median(runs.map(({ heap }) => heap)))
  const [oursAll, lruAll] = [measured.cache, measured.lru].map((runs) => median(runs.map(({ all }) => all)))
  const text = `${Math.round(ours)} / ${Math.round(lru)} B = ${(ours / lru).toFixed(2)}x`
  line('heapUsed per entry', text, bound(ours / lru, 1.5))
  line('with array buffers', `${Math.round(oursAll)} / ${Math.round(lruAll)} B = ${(oursAll / lruAll).toFixed(2)}x`)
  if (measured.cache.some(({ size }) => size !== entries)) console.log('    SOME ENTRIES WERE EVICTED')
}

async function measureInChild(kind) {
  const flags = ['--expose-gc', fileURLToPath(import.meta.url), kind]
  const child = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += chunk
  })
  await once(child, 'close')
  return JSON.parse(text)
}

async function measureEntries(kind) {
  const warm = await startApp() // excludes the code and Fastify from the measurement
  await warm.cache.set('warm', { id: 0, name: 'warm' })
  const seed = JSON.stringify({ id: 0, name: 'warm' })
  const texts = (index) => seed.replace('0', String(index)).replace('warm', `Seller number ${index}`)
  texts(1)
  const before = usedMemory()
  const app = kind === 'hold-cache' ? await startApp() : undefined
  const lru = app === undefined ? new LRUCache({ max: entries }) : undefined
  for (let index = 0; index < entries; index += 1) {
    const value = JSON.parse(texts(index))
    if (app === undefined) lru.set(`seller:${index}`, value)
    else await app.cache.set(`seller:${index}`, value)
  }
  const after = usedMemory()
  const size = lru?.size ?? app.cache.stats().memory.entries
  return { heap: (after.heap - before.heap) / entries, all: (after.all - before.all) / entries, size }
}

function usedMemory() {
  for (let time = 0; time < 4; time += 1) globalThis.gc()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return { heap: heapUsed, all: heapUsed + arrayBuffers }
}

function ratioText({ ratio, minRatio }, digits = 2) {
  return `${ratio.toFixed(digits)}x (of the minimum: ${minRatio.toFixed(digits)}x)`
}

function bound(value, max) {
  return { target: `<= ${max}x`, met: value <= max }
}
