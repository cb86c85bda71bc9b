// Whether `maxMemoryBytes` of the edge bounds what stored responses really take. Method: the compiled plugin in a process of its
// own with --expose-gc. The figure is the growth of `heapUsed` and `arrayBuffers` after a collection.
// Bound: 5,000 distinct requests of several kinds for each application, with a bound of 8 MiB.
// Remembered keys: one response that is requested by 20,000 target URIs.
// Changing data: a list of 2,000 sellers changes with every TTL, and a crawler requests one new address in each, for 300 TTLs.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import Fastify from 'fastify'
import cache from 'fastify-vitrine/cache'
import edge from 'fastify-vitrine/edge'
import { sellers } from './cache-kit.js'

const mib = 2 ** 20
const timeoutMs = 240_000
const cases = { bound: measureBound, 'remembered keys': measureRememberedKeys, 'changing data': measureChangingData }
const codings = ['br', 'gzip', 'br', 'gzip'].map((coding) => ({ 'accept-encoding': coding }))
/** The requests for a number. The second one with a coding gets the encoded body. */
const kinds = {
  'JSON of 2.5 kB, plain, br and gzip': (id) =>
    [undefined, ...codings].map((headers) => ({ url: `/items/${id}`, headers })),
  'JSON of 20 bytes': (id) => [{ url: `/tiny/${id}` }],
  '16 variants of 30 bytes': (id) => [{ url: `/variants/${Math.floor(id / 16)}`, headers: { 'x-variant': `v${id}` } }],
  'query of 1 kB in the key': (id) => [{ url: `/search?q=${id}${'x'.repeat(1_000)}` }],
  'query of 1 kB that is not Latin-1': (id) => [{ url: `/search?q=${id}${'%E2%82%AC'.repeat(100)}` }],
}
const [name] = process.argv.slice(2)

if (name === undefined) {
  for (const each of Object.keys(cases)) {
    const { status, error } = spawnSync(process.execPath, ['--expose-gc', fileURLToPath(import.meta.url), each], {
      stdio: 'inherit',
      timeout: timeoutMs,
    })
    if (status !== 0) console.log(`${each}: did not end (${error?.message ?? `status ${status}`}) MISS`)
  }
} else {
  await cases[name]()
}

async function measureBound() {
  const maxMemoryBytes = 8 * mib
  const total = 5_000
  for (const [kind, requestsOf] of Object.entries(kinds)) {
    const app = Fastify()
    await app.register(edge, { maxMemoryBytes, ttlSeconds: 3_600 })
    app.get('/items/:id', { config: { edge: {} } }, async (request) => ({ items: itemsOf(request.params.id) }))
    app.get('/tiny/:id', { config: { edge: {} } }, async (request) => ({ id: request.params.id }))
    app.get('/variants/:id', { config: { edge: { vary: ['x-variant'] } } }, async (request) => ({
      variant: request.headers['x-variant'],
    }))
    const querystring = { type: 'object', properties: { q: { type: 'string' } } }
    app.get('/search', { schema: { querystring }, config: { edge: {} } }, async (request) => ({
      q: request.query.q.length,
    }))
    await app.ready()
    const requestAll = async (from, to) => {
      for (let id = from; id < to; id += 1) {
        for (const request of requestsOf(id)) {
          await app.inject(request)
          if (request.headers !== undefined) await new Promise(setImmediate)
        }
      }
    }
    await requestAll(0, 50)
    await app.edge.purge({ all: true })
    const before = await usedBytes()
    for (let done = 0; done < total; done += 2_500) await requestAll(1_000 + done, 3_500 + done)
    const used = await usedBytes()
    const grown = used.total - before.total
    const { resources, bytes } = app.edge.stats().memory
    const inBuffers = inMib(used.arrayBuffers - before.arrayBuffers)
    console.log(
      `${kind}: ${resources} resources, ${inMib(bytes)} counted, ${inMib(grown)} used (${inBuffers} in buffers)`,
    )
    report(`${kind}: used memory against what is counted`, grown / bytes, 1.5)
    await app.close()
  }
}

async function measureRememberedKeys() {
  const app = Fastify()
  await app.register(edge, { maxMemoryBytes: 10_000, ttlSeconds: 3_600 })
  const querystring = { type: 'object', properties: { page: { type: 'integer' }, q: { type: 'string' } } }
  app.get('/list', { schema: { querystring }, config: { edge: {} } }, async () => ({ items: [] }))
  await app.ready()
  const requestFor = async (from, to) => {
    for (let n = from; n < to; n += 1) await app.inject(`/list?page=1&q=sellers&visit=${n}`)
  }
  await requestFor(0, 100)
  const before = await usedBytes()
  await requestFor(100, 20_000)
  const grown = (await usedBytes()).total - before.total
  console.log(`remembered keys, one response, 20,000 target URIs: ${inMib(grown)} more used`)
  report('remembered keys: used memory against the bound of 2 MiB', grown / (2 * mib), 1.5)
  await app.close()
}

async function measureChangingData() {
  const ttls = 300
  const app = Fastify()
  let now = Date.now()
  await app.register(cache, { now: () => now })
  await app.register(edge, { now: () => now, ttlSeconds: 86_400 })
  let version = 0
  const load = async () => sellers(2_000, version * 10_000)
  app.get('/page', { config: { edge: {} } }, async (request) => {
    const list = await app.cache.fetch('sellers', load, { ttlSeconds: 60 })
    return { page: request.query.n, first: list[0].id }
  })
  await app.ready()
  const listBytes = JSON.stringify(await load()).length
  const requestFor = async (count) => {
    for (let n = 0; n < count; n += 1) {
      version += 1
      now += 61_000
      await app.inject(`/page?n=${version}`)
    }
  }
  await requestFor(20)
  const before = await usedBytes()
  await requestFor(ttls)
  const grown = (await usedBytes()).total - before.total
  console.log(`changing data, ${ttls} TTLs, a list of ${listBytes} bytes of JSON: ${inMib(grown)} more used`)
  report('growth for each TTL, in lists', grown / ttls / listBytes, 0.1)
  await app.close()
}

/** JSON of about 2.5 kB that differs by id. */
function itemsOf(id) {
  return Array.from({ length: 20 }, (_, index) => ({
    id: `${id}-${index}`,
    name: `Item ${(id * 7919 + index * 104729) % 1_000_003}`,
    city: 'Buenos Aires',
    rating: (id + index) % 50,
    sold: id * index,
  }))
}

async function usedBytes() {
  for (let turn = 0; turn < 5; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    globalThis.gc()
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return { total: heapUsed + arrayBuffers, arrayBuffers }
}

function report(what, ratio, max) {
  console.log(`${what}: ${ratio.toFixed(2)} (< ${max}) ${ratio < max ? 'ok' : 'MISS'}`)
}

function inMib(bytes) {
  return `${(bytes / mib).toFixed(1)} MiB`
}
