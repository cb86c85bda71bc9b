// How often one cold key is loaded. Method: four processes on one redis-server, told at the same moment to ask for a key
// that nobody has, 250 callers each; the loader takes 200 ms and reports each of its calls. Then one caller in each, and
// the process that loads is killed in mid load.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { line, settled, startApp, startRedis, title } from './cache-kit.js'
import { round } from './harness.js'

const processes = 4
const callers = 250
const leaseMs = 3_000
if (process.send === undefined) await direct()
else await serve(process.argv[2])

async function direct() {
  const redis = await startRedis()
  const loads = []
  let workers = await Promise.all(Array.from({ length: processes }, begin))

  title('4 processes x 250 callers on one cold key, loader 200 ms')
  for (let time = 1; time <= 5; time += 1) {
    loads.length = 0
    const answers = await ask(workers, { key: `cold:${time}`, callers, loadMs: 200 })
    const slowest = Math.max(...answers.map(({ ms }) => ms))
    const isSame = new Set(answers.flatMap(({ values }) => values)).size === 1
    const met = loads.length === 1
    const text = `${loads.length} load(s), ${isSame ? 'one value' : 'SEVERAL VALUES'}, last answer ${round(slowest)} ms`
    line(`round ${time}`, text, { target: '1 load', met })
  }

  title(`holder killed 100 ms into a load of 400 ms, lease ${leaseMs} ms`)
  for (let time = 1; time <= 3; time += 1) {
    loads.length = 0
    const asked = workers.map((worker) => ask([worker], { key: `killed:${time}`, callers: 1, loadMs: 400 }))
    for (const answer of asked) answer.catch(() => undefined)
    while (loads.length === 0) await sleep(1)
    await sleep(100)
    const holder = loads[0].worker
    holder.kill('SIGKILL')
    const killedAt = performance.now()
    const left = asked.filter((_answer, index) => workers[index] !== holder)
    await Promise.all(left)
    const more = loads.slice(1)
    const wait = more.length === 0 ? Number.NaN : more[0].at - killedAt
    const text = `${more.length} more, ${round(wait)} ms after the kill`
    line(`round ${time}`, text, { target: `1 more within ${leaseMs} ms`, met: more.length === 1 && wait <= leaseMs })
    workers = workers.filter((worker) => worker !== holder)
    workers.push(await begin())
  }
  for (const worker of workers) worker.kill('SIGKILL')
  await redis.stop()

  async function begin() {
    const worker = fork(fileURLToPath(import.meta.url), [redis.url])
    worker.on('message', (message) => {
      if (message === 'load') loads.push({ worker, at: performance.now() })
    })
    await new Promise((resolve) => {
      worker.on('message', (message) => {
        if (message === 'ready') resolve()
      })
    })
    return worker
  }
}

/** The answers of all, who begin at the same moment. */
function ask(workers, order) {
  const at = String(process.hrtime.bigint() + 50_000_000n)
  return Promise.all(
    workers.map(async (worker) => {
      const answer = new Promise((resolve) => {
        const hear = (message) => {
          if (message.key !== order.key) return
          worker.off('message', hear)
          resolve(message)
        }
        worker.on('message', hear)
      })
      worker.send({ ...order, at })
      return Promise.race([answer, once(worker, 'exit').then(() => Promise.reject(new Error('it has ended')))])
    }),
  )
}

async function serve(url) {
  const app = await startApp({ url, leaseMs })
  await settled(app)
  process.on('message', async ({ key, callers, loadMs, at }) => {
    const loader = async () => {
      process.send('load')
      await sleep(loadMs)
      return `${process.pid} ${performance.now()}`
    }
    while (process.hrtime.bigint() < BigInt(at));
    const began = performance.now()
    const values = await Promise.all(Array.from({ length: callers }, () => app.cache.fetch(key, loader)))
    process.send({ key, ms: performance.now() - began, values: [...new Set(values)] })
  })
  process.on('disconnect', () => process.exit())
  process.send('ready')
}
