// Compares the speed of two checkouts: `node bench/compare.js PATH_OF_THE_OTHER`, both built (`npm ci`). Method: each round
// starts three processes, the other checkout twice and this one, pinned to the first core; they take turns within the round
// in an order that rotates. A ratio is the median of the rounds' ratios. "other / other" is the noise of the machine.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { median, startRedis } from './cache-kit.js'
import { freePort } from './harness.js'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '2' },
    cases: { type: 'string', default: 'memory,redis,html,json,304,panel' },
  },
})
const [other] = positionals
if (other === undefined) throw new Error('usage: node bench/compare.js PATH_OF_THE_OTHER_CHECKOUT')
const run = promisify(execFile)
const checkouts = [
  { label: 'other', path: resolve(other) },
  { label: 'other again', path: resolve(other) },
  { label: 'this', path: fileURLToPath(new URL('..', import.meta.url)) },
]
const edgeCases = [
  { name: 'html', path: '/html', kind: 'edge' },
  { name: 'json', path: '/json', kind: 'edge' },
  { name: '304', path: '/html-304', kind: 'edge', isConditional: true },
  { name: 'panel', path: '/panels/sellers?page_size=50', kind: 'app' },
]
const chosen = options.cases.split(',')

const redis = await startRedis()
const figures = new Map()
for (let round = 0; round < Number(options.rounds); round += 1) {
  for (const name of ['memory', 'redis']) {
    if (chosen.includes(name)) await takeTurns(name, round, startHits, (worker) => readHits(worker, name))
  }
  for (const each of edgeCases) {
    if (chosen.includes(each.name))
      await takeTurns(each.name, round, startServer(each.kind), (server) => load(server, each))
  }
}
await redis.stop()
console.log(
  `${''.padEnd(10)}${'other / other'.padStart(16)}${'this / other'.padStart(16)}   (time per hit; 1.00 is the same)`,
)
for (const [name, byLabel] of figures) {
  const ratio = (label) => median(byLabel.get(label).map((time, round) => time / byLabel.get('other')[round]))
  console.log(
    `${name.padEnd(10)}${ratio('other again').toFixed(3).padStart(16)}${ratio('this').toFixed(3).padStart(16)}`,
  )
}
process.exit()

/** One figure for each checkout, in microseconds of CPU or time per hit. */
async function takeTurns(name, round, start, measure) {
  const contenders = []
  for (const { label, path } of checkouts) contenders.push({ label, ...(await start(path)) })
  const times = figures.get(name) ?? new Map(checkouts.map(({ label }) => [label, []]))
  figures.set(name, times)
  const sums = new Map(contenders.map(({ label }) => [label, 0]))
  for (let turn = -1; turn < 3; turn += 1) {
    for (let index = 0; index < contenders.length; index += 1) {
      const contender = contenders[(index + round + turn + 1) % contenders.length]
      const time = await measure(contender)
      if (turn >= 0) sums.set(contender.label, sums.get(contender.label) + time) // the first turn compiles what is hot
    }
  }
  for (const { label, child } of contenders) {
    times.get(label).push(sums.get(label))
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
  }
}

async function startHits(path) {
  const child = pinnedNode([fileURLToPath(new URL('compare-worker.js', import.meta.url)), path, redis.url])
  await once(child, 'message')
  return { child }
}

async function readHits({ child }, name) {
  child.send(name)
  const [{ microseconds }] = await once(child, 'message')
  return microseconds
}

function startServer(kind) {
  return async (path) => {
    const port = await freePort()
    const environment = { PORT: String(port), RATE_LIMIT_MAX: '0', LOG_LEVEL: 'error' }
    const child = pinnedNode([`${path}/bench/edge-server.js`, kind], environment)
    child.send({ answers: [] })
    const [message] = await once(child, 'message')
    return { child, port: message.port }
  }
}

/** Microseconds of CPU per request while wrk asks from the second core. */
async function load({ child, port }, { path, isConditional = false }) {
  const url = `http://127.0.0.1:${port}${path}`
  const first = await fetch(url)
  await first.arrayBuffer()
  const fields = isConditional ? ['-H', `if-none-match: ${first.headers.get('etag')}`] : []
  const before = cpuSeconds(child.pid)
  const { stdout } = await run('taskset', ['-c', '1', 'wrk', '-t1', '-c64', `-d${options.seconds}s`, ...fields, url])
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(stdout)
  return ((cpuSeconds(child.pid) - before) * 1e6) / Number(/(\d+) requests in/.exec(stdout)[1])
}

function pinnedNode(args, environment = {}) {
  const env = { PATH: process.env.PATH, ...environment }
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc']
  return spawn('taskset', ['-c', '0', process.execPath, ...args], { env, stdio, serialization: 'advanced' })
}

function cpuSeconds(pid) {
  const ticks = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(ticks[11]) + Number(ticks[12])) / 100 // user and system time, in hundredths of a second on Linux
}
