// How an outage of Redis affects reads. Method: 50 readers in one process each read new keys in a loop, so every read is a miss
// with a load of 5 ms. redis-server runs on the same machine. The baseline is the same readers with the loader alone, before
// and after. Times are of `fetch`, from the call to the value.
import diagnosticsChannel from 'node:diagnostics_channel'
import { setTimeout as sleep } from 'node:timers/promises'
import { line, median, startApp, startRedis, title, untilTracking } from './cache-kit.js'
import { freePort, round, summary } from './harness.js'

const readers = 50
const loadMs = 5
let counter = 0
let storedListener
diagnosticsChannel.subscribe('fastify-vitrine:cache:write', ({ key, outcome }) => {
  if (outcome === 'stored') storedListener?.(Number(key.slice(key.indexOf(':') + 1)))
})

title('baseline: the loader alone, 50 readers, 5 s')
await baseline()
await refused()
await stopped()
await bootAndClose()
title('baseline, again')
await baseline()

async function baseline() {
  const run = read(() => loader())
  await sleep(5_000)
  row('loader alone', await run.stop())
}

async function refused() {
  title('(a) Redis refused')
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  const starts = []
  let redis
  for (let time = 0; time < 5; time += 1) {
    const startedAt = performance.now()
    const app = await startApp({ url })
    starts.push(performance.now() - startedAt)
    if (time < 4) await app.close()
    else await rest(app)
  }

  async function rest(app) {
    const text = `${starts.map(round).join(', ')}: median ${round(median(starts))} ms`
    line('start, Redis refused', text, { target: '< 100 ms, each', met: starts.every((ms) => ms < 100) })
    const run = read((key) => app.cache.fetch(key, loader))
    await sleep(5_000)
    row('refused from the start, 5 s', run.take(), { p50: 6, p99: 10 })
    await restart('started later', () => startRedis({ port }))
    await untilTracking(app)
    run.take()
    await sleep(2_000)
    row('healthy, 2 s', run.take())
    await redis.stop()
    await sleep(5_000)
    row('killed during the run, 5 s', run.take(), { p50: 6, p99: 10 })
    await restart('restarted during the run', () => startRedis({ port }))
    row('to the end', await run.stop())
    await app.close()
    await redis.stop()
  }

  async function restart(name, start) {
    redis = await start() // resolves once it answers PING
    await waitForWrite(name)
  }
}

async function stopped() {
  title('(b) Redis stopped by SIGSTOP')
  const redis = await startRedis()
  const app = await startApp({ url: redis.url })
  await untilTracking(app)
  const run = read((key) => app.cache.fetch(key, loader))
  await sleep(2_000)
  row('healthy, 2 s', run.take())
  for (const time of [1, 2]) {
    redis.hang()
    await sleep(10_000)
    row(`stopped, 10 s (${time})`, run.take(), { p50: 8, p99: 15, max: 300 })
    redis.resume()
    await waitForWrite(`after SIGCONT (${time})`)
    await sleep(2_000)
    row('healthy again, 2 s', run.take())
  }
  await run.stop()
  await app.close()
  await redis.stop()
}

async function bootAndClose() {
  title('(c) boot and close while Redis is stopped')
  const redis = await startRedis()
  const connected = await startApp({ url: redis.url })
  await untilTracking(connected)
  redis.hang()
  const startedAt = performance.now()
  const app = await startApp({ url: redis.url })
  const booted = performance.now()
  await connected.close()
  const closed = performance.now()
  await app.close()
  for (const [name, ms, maxMs] of [
    ['boot', booted - startedAt, 500],
    ['close', closed - booted, 1_000],
  ]) {
    line(name, `${round(ms)} ms`, { target: `< ${maxMs} ms`, met: ms < maxMs })
  }
  redis.resume()
  await redis.stop()
}

/** Measures the time until a key that was read after this call is stored in Redis. */
async function waitForWrite(name) {
  const startedAt = performance.now()
  const from = counter
  const stored = new Promise((resolve) => {
    storedListener = (number) => {
      if (number >= from) resolve('stored')
    }
  })
  const outcome = await Promise.race([stored, sleep(10_000)])
  storedListener = undefined
  const ms = performance.now() - startedAt
  line(`${name}: written to Redis again after`, outcome === undefined ? 'never' : `${round(ms)} ms`, {
    target: '< 1,000 ms',
    met: outcome !== undefined && ms < 1_000,
  })
}

async function loader() {
  await sleep(loadMs)
  return { id: counter, name: 'a seller' }
}

/** Reads in a loop until stopped. */
function read(operation) {
  let times = []
  let errors = 0
  let isStopped = false
  const reader = async () => {
    while (!isStopped) {
      counter += 1
      const startedAt = performance.now()
      try {
        await operation(`seller:${counter}`)
      } catch {
        errors += 1
      }
      times.push(performance.now() - startedAt)
    }
  }
  const all = Promise.all(Array.from({ length: readers }, reader))
  const take = () => {
    const taken = { ...summary(times), reads: times.length, errors }
    times = []
    errors = 0
    return taken
  }
  return {
    take,
    async stop() {
      isStopped = true
      await all
      return take()
    },
  }
}

function row(name, { p50, p99, max, reads, errors }, limits) {
  const figure = `p50 ${round(p50)}  p99 ${round(p99)}  max ${round(max)} ms`
  const measured = { p50, p99, max }
  const target =
    limits &&
    `${Object.entries(limits)
      .map(([name, ms]) => `${name} < ${ms}`)
      .join(', ')}, no error`
  const met = limits && errors === 0 && Object.entries(limits).every(([name, ms]) => measured[name] < ms)
  line(`${name} (${reads} reads, ${errors} errors)`, figure, { target, met })
}
