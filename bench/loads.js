// How often one cold key is loaded. Method: four processes on one redis-server read a new key at the same time with 250 callers
// each. The loader takes 200 ms and reports each call. Then each process reads a key with one caller, and the process that
// loads is killed during the load.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { line, startApp, startRedis, title, untilTracking } from './cache-kit.js'
import { round } from './harness.js'

const processes = 4
const callers = 250
const leaseMs = 3_000
if (process.send === undefined) await measure()
else await serve(process.argv[2])

async function measure() {
  const redis = await startRedis()
  const loads = []
  let workers = await Promise.all(Array.from({ length: processes }, startWorker))

  title('4 processes x 250 callers on one cold key, loader 200 ms')
  for (let time = 1; time <= 5; time += 1) {
    loads.length = 0
    const answers = await readInWorkers(workers, { key: `cold:${time}`, callers, loadMs: 200 })
    const slowest = Math.max(...answers.map(({ ms }) => ms))
    const isSame = new Set(answers.flatMap(({ values }) => values)).size === 1
    const met = loads.length === 1
    const text = `${loads.length} load(s), ${isSame ? 'one value' : 'SEVERAL VALUES'}, last result ${round(slowest)} ms`
    line(`round ${time}`, text, { target: '1 load', met })
  }

  title(`holder killed 100 ms into a load of 400 ms, lease ${leaseMs} ms`)
  for (let time = 1; time <= 3; time += 1) {
    loads.length = 0
    const results = workers.map((worker) => readInWorkers([worker], { key: `killed:${time}`, callers: 1, loadMs: 400 }))
    for (const answer of results) answer.catch(() => undefined)
    while (loads.length === 0) await sleep(1)
    await sleep(100)
    const holder = loads[0].worker
    holder.kill('SIGKILL')
    const killedAt = performance.now()
    const remaining = results.filter((_answer, index) => workers[index] !== holder)
    await Promise.all(remaining)
    const more = loads.slice(1)
    const wait = more.length === 0 ? Number.NaN : more[0].at - killedAt
    const text = `${more.length} more, ${round(wait)} ms after the kill`
    line(`round ${time}`, text, { target: `1 more within ${leaseMs} ms`, met: more.length === 1 && wait <= leaseMs })
    workers = workers.filter((worker) => worker !== holder)
    workers.push(await startWorker())
  }
  for (const worker of workers) worker.kill('SIGKILL')
  await redis.stop()

  async function startWorker() {
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

/** The results of all workers, which start at the same time. */
function readInWorkers(workers, request) {
  const at = String(process.hrtime.bigint() + 50_000_000n)
  return Promise.all(
    workers.map(async (worker) => {
      const answer = new Promise((resolve) => {
        const onMessage = (message) => {
          if (message.key !== request.key) return
          worker.off('message', onMessage)
          resolve(message)
        }
        worker.on('message', onMessage)
      })
      worker.send({ ...request, at })
      return Promise.race([answer, once(worker, 'exit').then(() => Promise.reject(new Error('the worker exited')))])
    }),
  )
}

async function serve(url) {
  const app = await startApp({ url, leaseMs })
  await untilTracking(app)
  process.on('message', async ({ key, callers, loadMs, at }) => {
    const loader = async () => {
      process.send('load')
      await sleep(loadMs)
      return `${process.pid} ${performance.now()}`
    }
    while (process.hrtime.bigint() < BigInt(at));
    const startedAt = performance.now()
    const values = await Promise.all(Array.from({ length: callers }, () => app.cache.fetch(key, loader)))
    process.send({ key, ms: performance.now() - startedAt, values: [...new Set(values)] })
  })
  process.on('disconnect', () => process.exit())
  process.send('ready')
}
