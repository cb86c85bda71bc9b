// How soon a change by another process or client is visible. Method: two processes with one application each share a
// redis-server. The watcher has a key in memory and reads it in a loop of setImmediate. A change is visible with the first read
// that does not return the old value. Times are from the monotonic clock of the machine, which both processes read, and start
// before the change is sent. Then CLIENT KILL closes the data or the tracking connection of the watcher, selected at random,
// with a change from 5 ms before to 30 ms after it.
//   node bench/coherence.js [reconnects, default 200]
import { fork } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { line, startApp, startRedis, title, untilTracking } from './cache-kit.js'
import { round, summary } from './harness.js'

/** The Redis user of the watcher, by which its connections are found. */
const user = 'watcher'
const timeoutMs = 3_000
if (process.send === undefined) await change(Number(process.argv[2] ?? 200))
else await watch(process.argv[2])

async function change(reconnects) {
  const redis = await startRedis()
  await redis.client.call('ACL', 'SETUSER', user, 'on', '>secret', '~*', '&*', '+@all')
  const watcher = fork(fileURLToPath(import.meta.url), [redis.url.replace('//', `//${user}:secret@`)])
  await messageAbout(watcher, 'ready')
  const app = await startApp({ url: redis.url })
  await untilTracking(app)
  let serial = 0
  const changes = {
    'cache.set': (key) => app.cache.set(key, { id: 0, name: 'new' }),
    'cache.purge, key': (key) => app.cache.purge({ keys: [key] }),
    'cache.purge, tag': (key) => app.cache.purge({ tags: [`tag:${key}`] }),
    'DEL by another client': (key) => redis.client.del(`cat_${key}`),
  }

  title('change in one process to the first read without the old value in the other, 200 changes each')
  for (const [name, make] of Object.entries(changes)) {
    const visible = []
    const renewed = []
    for (let round = 0; round < 200; round += 1) {
      const key = await prepare()
      await sleep(Math.random() * 5)
      const startedAt = process.hrtime.bigint()
      await make(key)
      const report = await messageAbout(watcher, key)
      visible.push(millisecondsFrom(startedAt, report.visibleAt))
      renewed.push(millisecondsFrom(startedAt, report.renewedAt))
    }
    const { p50, max, p99 } = summary(visible)
    const renewal = summary(renewed)
    const met = p50 < 2 && max < 20
    line(name, `p50 ${format(p50)}  p99 ${format(p99)}  max ${format(max)} ms`, { target: 'p50 < 2, max < 20', met })
    line('    until the new value', `p50 ${format(renewal.p50)}  max ${format(renewal.max)} ms`)
  }

  title(`${reconnects} reconnects of a connection, with a change around each`)
  const results = { data: { killed: 0, times: [] }, tracking: { killed: 0, times: [] } }
  const kinds = Object.values(changes)
  for (let turn = 0; turn < reconnects; turn += 1) {
    const kind = Math.random() < 0.5 ? 'data' : 'tracking'
    const key = await prepare()
    const id = await connectionId(kind)
    const make = kinds[turn % kinds.length]
    const offsetMs = -5 + Math.random() * 35
    const kill = async () => {
      await sleep(Math.max(0, -offsetMs))
      results[kind].killed += await redis.client.client('KILL', 'ID', id)
    }
    const changeKey = async () => {
      await sleep(Math.max(0, offsetMs))
      const startedAt = process.hrtime.bigint()
      await make(key)
      return startedAt
    }
    const [startedAt] = await Promise.all([changeKey(), kill()])
    const report = await messageAbout(watcher, key)
    const ms = report.visibleAt === undefined ? Number.POSITIVE_INFINITY : millisecondsFrom(startedAt, report.renewedAt)
    results[kind].times.push(ms)
  }
  for (const [kind, { killed, times }] of Object.entries(results)) {
    const missed = times.filter((ms) => ms > timeoutMs).length
    const { p50, max } = summary(times)
    const text = `${missed} missed; p50 ${format(p50)}  max ${format(max)} ms`
    line(`${kind} connection killed ${killed} times`, text, { target: '0 missed in 3 s', met: missed === 0 })
  }
  watcher.kill('SIGKILL')
  await app.close()
  await redis.stop()

  /** Creates a key that the watcher has in memory and reads in a loop. */
  async function prepare() {
    serial += 1
    const key = `seller:${serial}`
    await app.cache.set(key, { id: serial, name: 'old' }, { tags: [`tag:${key}`] })
    watcher.send(key)
    await messageAbout(watcher, `${key} warm`)
    return key
  }

  async function connectionId(kind) {
    for (;;) {
      const list = String(await redis.client.client('LIST')).split('\n')
      for (const about of list) {
        if (!about.includes(` user=${user} `)) continue
        const isTracking = /flags=\S*t/.test(about)
        if (isTracking === (kind === 'tracking')) return /id=(\d+)/.exec(about)[1]
      }
      await sleep(5)
    }
  }
}

/** Loads each requested key into memory and reports when its old value is no longer returned. */
async function watch(url) {
  const app = await startApp({ url })
  await untilTracking(app)
  const tick = () => new Promise((resolve) => setImmediate(resolve))
  process.on('message', async (key) => {
    await untilTracking(app, 20_000)
    let inARow = 0
    while (inARow < 20) {
      inARow = (await isHit(key)) ? inARow + 1 : 0
      if (inARow === 0) await tick()
    }
    process.send({ about: `${key} warm` })
    const until = performance.now() + timeoutMs + 100
    let visibleAt
    let renewedAt
    while (renewedAt === undefined && performance.now() < until) {
      const calledAt = process.hrtime.bigint()
      const value = await app.cache.get(key)
      if (value?.name !== 'old') {
        visibleAt = calledAt
        renewedAt = process.hrtime.bigint()
      }
      await tick()
    }
    process.send({ about: key, ...(renewedAt && { visibleAt: String(visibleAt), renewedAt: String(renewedAt) }) })
  })
  process.on('disconnect', () => process.exit())
  process.send({ about: 'ready' })

  async function isHit(key) {
    const hits = app.cache.stats().hits.memory
    await app.cache.get(key)
    return app.cache.stats().hits.memory > hits
  }
}

/** The message of the watcher about this. It may have arrived already. */
function messageAbout(watcher, about) {
  if (watcher.messages === undefined) {
    watcher.messages = new Map()
    watcher.on('message', (message) => {
      watcher.messages.set(message.about, message)
      watcher.emit('stored')
    })
  }
  return new Promise((resolve) => {
    const check = () => {
      const message = watcher.messages.get(about)
      if (message === undefined) {
        watcher.once('stored', check)
        return
      }
      watcher.messages.delete(about)
      resolve(message)
    }
    check()
  })
}

function millisecondsFrom(startedAt, at) {
  return Number(BigInt(at) - startedAt) / 1e6
}

function format(ms) {
  return ms === Number.POSITIVE_INFINITY ? 'never' : ms < 10 ? ms.toFixed(2) : String(round(ms))
}
