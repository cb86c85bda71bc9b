// How soon one process stops answering with what another one, or a stranger, has changed. Method: two processes, an
// application each, on one redis-server. The watcher holds a key in memory and asks for it in a loop of setImmediate. A
// change counts as seen with the first call that is not answered with the old value; the clock is the machine's
// monotonic one, which both processes read, and starts before the change is sent. Then the watcher's data or notice
// connection is killed by CLIENT KILL, in no order, with a change from 5 ms before it to 30 ms after.
//   node bench/coherence.js [reconnects, 200 unless told]
import { fork } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { line, settled, startApp, startRedis, title } from './cache-kit.js'
import { round, summary } from './harness.js'

const name = 'watcher'
const giveUpMs = 3_000
if (process.send === undefined) await change(Number(process.argv[2] ?? 200))
else await watch(process.argv[2])

async function change(reconnects) {
  const redis = await startRedis()
  const watcher = fork(fileURLToPath(import.meta.url), [`${redis.url}/0?connectionName=${name}`])
  await heard(watcher, 'ready')
  const app = await startApp({ url: redis.url })
  await settled(app)
  let serial = 0
  const changes = {
    'cache.set': (key) => app.cache.set(key, { id: 0, name: 'new' }),
    'cache.purge, key': (key) => app.cache.purge({ keys: [key] }),
    'cache.purge, tag': (key) => app.cache.purge({ tags: [`tag:${key}`] }),
    'foreign DEL': (key) => redis.client.del(`cat_${key}`),
  }

  title('change in one process to the first read in the other without the old value, 200 changes each')
  for (const [what, make] of Object.entries(changes)) {
    const seen = []
    const anew = []
    for (let time = 0; time < 200; time += 1) {
      const key = await prepare()
      await sleep(Math.random() * 5)
      const began = process.hrtime.bigint()
      await make(key)
      const told = await heard(watcher, key)
      seen.push(millisecondsFrom(began, told.seenAt))
      anew.push(millisecondsFrom(began, told.anewAt))
    }
    const { p50, max, p99 } = summary(seen)
    const answered = summary(anew)
    const met = p50 < 2 && max < 20
    line(what, `p50 ${fine(p50)}  p99 ${fine(p99)}  max ${fine(max)} ms`, { target: 'p50 < 2, max < 20', met })
    line('    until the new answer', `p50 ${fine(answered.p50)}  max ${fine(answered.max)} ms`)
  }

  title(`${reconnects} reconnects of either connection, a change around each`)
  const tallies = { data: tally(), notice: tally() }
  const kinds = Object.values(changes)
  for (let time = 0; time < reconnects; time += 1) {
    const kind = Math.random() < 0.5 ? 'data' : 'notice'
    const key = await prepare()
    const id = await connectionId(kind)
    const make = kinds[time % kinds.length]
    const offsetMs = -5 + Math.random() * 35
    const kill = async () => {
      await sleep(Math.max(0, -offsetMs))
      tallies[kind].killed += await redis.client.client('KILL', 'ID', id)
    }
    const alter = async () => {
      await sleep(Math.max(0, offsetMs))
      const began = process.hrtime.bigint()
      await make(key)
      return began
    }
    const [began] = await Promise.all([alter(), kill()])
    const told = await heard(watcher, key)
    const ms = told.seenAt === undefined ? Number.POSITIVE_INFINITY : millisecondsFrom(began, told.anewAt)
    tallies[kind].times.push(ms)
  }
  for (const [kind, { killed, times }] of Object.entries(tallies)) {
    const missed = times.filter((ms) => ms > giveUpMs).length
    const { p50, max } = summary(times)
    const text = `${missed} missed; p50 ${fine(p50)}  max ${fine(max)} ms`
    line(`${kind} connection killed ${killed} times`, text, { target: '0 missed in 3 s', met: missed === 0 })
  }
  watcher.kill('SIGKILL')
  await app.close()
  await redis.stop()

  /** A key that the watcher has in memory and asks for without pause. */
  async function prepare() {
    serial += 1
    const key = `seller:${serial}`
    await app.cache.set(key, { id: serial, name: 'old' }, { tags: [`tag:${key}`] })
    watcher.send(key)
    await heard(watcher, `${key} warm`)
    return key
  }

  async function connectionId(kind) {
    for (;;) {
      const list = String(await redis.client.client('LIST')).split('\n')
      for (const about of list) {
        if (!about.includes(` name=${name} `)) continue
        const isNotice = /flags=\S*t/.test(about)
        if (isNotice === (kind === 'notice')) return /id=(\d+)/.exec(about)[1]
      }
      await sleep(5)
    }
  }
}

function tally() {
  return { killed: 0, times: [] }
}

/** Holds each key that it is told of in memory and reports when that stops answering. */
async function watch(url) {
  const app = await startApp({ url })
  await settled(app)
  const tick = () => new Promise((resolve) => setImmediate(resolve))
  process.on('message', async (key) => {
    await settled(app, 20_000)
    let inARow = 0
    while (inARow < 20) {
      inARow = (await isHit(key)) ? inARow + 1 : 0
      if (inARow === 0) await tick()
    }
    process.send({ about: `${key} warm` })
    const until = performance.now() + giveUpMs + 100
    let seenAt
    let anewAt
    while (anewAt === undefined && performance.now() < until) {
      const calledAt = process.hrtime.bigint()
      const value = await app.cache.get(key)
      if (value?.name !== 'old') {
        seenAt = calledAt
        anewAt = process.hrtime.bigint()
      }
      await tick()
    }
    process.send({ about: key, ...(anewAt && { seenAt: String(seenAt), anewAt: String(anewAt) }) })
  })
  process.on('disconnect', () => process.exit())
  process.send({ about: 'ready' })

  async function isHit(key) {
    const hits = app.cache.stats().hits.memory
    await app.cache.get(key)
    return app.cache.stats().hits.memory > hits
  }
}

/** What the watcher says about this; it may have said it already. */
function heard(watcher, about) {
  if (watcher.said === undefined) {
    watcher.said = new Map()
    watcher.on('message', (message) => {
      watcher.said.set(message.about, message)
      watcher.emit('said')
    })
  }
  return new Promise((resolve) => {
    const look = () => {
      const message = watcher.said.get(about)
      if (message === undefined) {
        watcher.once('said', look)
        return
      }
      watcher.said.delete(about)
      resolve(message)
    }
    look()
  })
}

function millisecondsFrom(began, at) {
  return Number(BigInt(at) - began) / 1e6
}

function fine(ms) {
  return ms === Number.POSITIVE_INFINITY ? 'never' : ms < 10 ? ms.toFixed(2) : String(round(ms))
}
