// What readers notice of an outage of Redis. Method: 50 readers in one process, each asking for one key after another that
// nobody has asked for, so that every read is a miss and a load of 5 ms; redis-server beside it. The floor is the same
// readers calling the loader alone, before and after. Times are of `fetch`, from the call to the value.
import diagnosticsChannel from 'node:diagnostics_channel'
import { setTimeout as sleep } from 'node:timers/promises'
import { line, median, settled, startApp, startRedis, title } from './cache-kit.js'
import { freePort, round, summary } from './harness.js'

const readers = 50
const loadMs = 5
let counter = 0
let keptListener
diagnosticsChannel.subscribe('fastify-vitrine:cache:write', ({ key, outcome }) => {
  if (outcome === 'stored') keptListener?.(Number(key.slice(key.indexOf(':') + 1)))
})

title('floor: the loader alone, 50 readers, 5 s')
await floor()
await refused()
await stopped()
await bootAndClose()
title('floor, again')
await floor()

async function floor() {
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
    const began = performance.now()
    const app = await startApp({ url })
    starts.push(performance.now() - began)
    if (time < 4) await app.close()
    else await rest(app)
  }

  async function rest(app) {
    const text = `${starts.map(round).join(', ')}: median ${round(median(starts))} ms`
    line('start, Redis refused', text, { target: '< 100 ms, each', met: starts.every((ms) => ms < 100) })
    const run = read((key) => app.cache.fetch(key, loader))
    await sleep(5_000)
    row('refused from the start, 5 s', run.take(), { p50: 6, p99: 10 })
    await returns('back after the start', () => startRedis({ port }))
    await settled(app)
    run.take()
    await sleep(2_000)
    row('healthy, 2 s', run.take())
    await redis.stop()
    await sleep(5_000)
    row('killed in mid run, 5 s', run.take(), { p50: 6, p99: 10 })
    await returns('back in mid run', () => startRedis({ port }))
    row('to the end', await run.stop())
    await app.close()
    await redis.stop()
  }

  async function returns(what, start) {
    redis = await start() // answers PING from here on
    await resumes(what)
  }
}

async function stopped() {
  title('(b) Redis stopped by SIGSTOP')
  const redis = await startRedis()
  const app = await startApp({ url: redis.url })
  await settled(app)
  const run = read((key) => app.cache.fetch(key, loader))
  await sleep(2_000)
  row('healthy, 2 s', run.take())
  for (const time of [1, 2]) {
    redis.hang()
    await sleep(10_000)
    row(`stopped, 10 s (${time})`, run.take(), { p50: 8, p99: 15, max: 300 })
    redis.resume()
    await resumes(`after SIGCONT (${time})`)
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
  await settled(connected)
  redis.hang()
  const began = performance.now()
  const app = await startApp({ url: redis.url })
  const booted = performance.now()
  await connected.close()
  const closed = performance.now()
  await app.close()
  for (const [what, ms, mostMs] of [
    ['boot', booted - began, 500],
    ['close', closed - booted, 1_000],
  ]) {
    line(what, `${round(ms)} ms`, { target: `< ${mostMs} ms`, met: ms < mostMs })
  }
  redis.resume()
  await redis.stop()
}

/** Until something that was asked for from now on is kept in Redis. */
async function resumes(what) {
  const began = performance.now()
  const from = counter
  const kept = new Promise((resolve) => {
    keptListener = (number) => {
      if (number >= from) resolve('kept')
    }
  })
  const outcome = await Promise.race([kept, sleep(10_000)])
  keptListener = undefined
  const ms = performance.now() - began
  line(`${what}: written to Redis again after`, outcome === undefined ? 'never' : `${round(ms)} ms`, {
    target: '< 1,000 ms',
    met: outcome !== undefined && ms < 1_000,
  })
}

async function loader() {
  await sleep(loadMs)
  return { id: counter, name: 'somebody' }
}

/** Reads without pause until it is stopped. */
function read(ask) {
  let times = []
  let errors = 0
  let isOver = false
  const reader = async () => {
    while (!isOver) {
      counter += 1
      const began = performance.now()
      try {
        await ask(`seller:${counter}`)
      } catch {
        errors += 1
      }
      times.push(performance.now() - began)
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
      isOver = true
      await all
      return take()
    },
  }
}

function row(what, { p50, p99, max, reads, errors }, most) {
  const figure = `p50 ${round(p50)}  p99 ${round(p99)}  max ${round(max)} ms`
  const within = { p50, p99, max }
  const target =
    most &&
    `${Object.entries(most)
      .map(([name, ms]) => `${name} < ${ms}`)
      .join(', ')}, no error`
  const met = most && errors === 0 && Object.entries(most).every(([name, ms]) => within[name] < ms)
  line(`${what} (${reads} reads, ${errors} errors)`, figure, { target, met })
}
