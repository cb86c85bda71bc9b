// The cost of a hit of the edge, compared with a constant and with other caches. Method: every contender is a process of its own
// on a loopback port, pinned to the first core; wrk (one thread, 64 connections) is pinned to the second. The contenders take turns
// within each round, in a rotating order, and a ratio is the median of the rounds' ratios. Before the measurement the answers are
// compared: the same bytes, the same fields. `--profile` prints CPU profiles instead.
import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { median } from './cache-kit.js'
import { printProfile } from './edge-profile.js'
import { nginx, varnish } from './edge-proxies.js'
import { freePort } from './harness.js'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    cases: { type: 'string', default: 'html,json,304,br,panel' },
    only: { type: 'string', default: '' },
    profile: { type: 'boolean', default: false },
  },
})
const only = options.only === '' ? [] : options.only.split(',')
const rounds = Number(options.rounds)
const seconds = Number(options.seconds)
const run = promisify(execFile)
/** Maximum load by other processes during a measurement, in cores. */
const maxOtherLoad = 0.15
let noisy = 0
/** Fields that may differ between two answers. */
const volatileFields = [
  'age',
  'cache-control',
  'cache-status',
  'connection',
  'date',
  'keep-alive',
  'server-timing',
  'x-request-id',
]

const cases = [
  { name: 'html', title: 'HTML page, identity', path: '/html', headers: {} },
  { name: 'json', title: 'JSON, identity', path: '/json', headers: {} },
  { name: '304', title: '304 to If-None-Match', path: '/html-304', headers: {}, isConditional: true },
  { name: 'br', title: 'HTML page, Accept-Encoding: br', path: '/html-br', headers: { 'accept-encoding': 'br' } },
]
const panel = {
  name: 'panel',
  title: 'the application: its sellers panel',
  path: '/panels/sellers?page_size=50',
  headers: {},
}

const file = fileURLToPath(new URL('edge-server.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'vitrine-bench-edge-'))
const started = new Set()
process.on('exit', () => {
  for (const child of started) child.kill('SIGTERM') // SIGKILL would leave nginx's worker behind
  rmSync(folder, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))

const isPinned = has('taskset') && cpus().length > 1
if (!isPinned) console.log('not pinned: no taskset, or one core; server and wrk may compete')
if (!has('wrk')) {
  console.log('skipped: no wrk (Debian: apt-get install wrk)')
} else {
  const wanted = options.cases.split(',')
  await plugin(cases.filter(({ name }) => wanted.includes(name)))
  if (wanted.includes('panel')) await wholeApplication()
}
process.exit()

async function plugin(chosen) {
  if (chosen.length === 0) return
  const edge = await startNode('edge', [])
  const answers = []
  for (const each of chosen) answers.push(await record(edge, each))
  await stop(edge.child)
  const { child, port: originPort } = await startNode('origin', answers)
  const contenders = [
    { label: 'constant', start: () => startNode('constant', answers) },
    { label: 'edge', start: () => startNode('edge', []) },
    { label: 'node:http', start: () => startNode('http', answers) },
    { label: 'nginx', start: () => startProxy(nginx, originPort) },
    { label: 'varnish', start: () => startProxy(varnish, originPort) },
    { label: 'lru-cache by hand', start: () => startNode('lru', answers) },
  ]
  await compare(contenders, answers, ({ ratios }) => [
    { what: 'edge / constant', ratio: ratios('edge', 'constant'), minRatio: 0.9 },
    { what: 'edge / varnish', ratio: ratios('edge', 'varnish'), minRatio: 1 },
  ])
  await stop(child)
}

async function wholeApplication() {
  const start = async () => {
    const environment = { PORT: String(await freePort()), RATE_LIMIT_MAX: '0', LOG_LEVEL: 'error' }
    return startNode('app', [], environment)
  }
  const first = await start()
  const answer = await record(first, panel)
  await stop(first.child)
  const contenders = [
    { label: 'constant', start: () => startNode('constant', [answer]) },
    { label: 'constant in such an app', start: () => startNode('hooked', [answer]) },
    { label: 'application', start },
  ]
  await compare(contenders, [answer], ({ ratios }) => [
    { what: 'application / constant', ratio: ratios('application', 'constant'), minRatio: 0.9 },
    { what: 'application / constant in such an app', ratio: ratios('application', 'constant in such an app') },
  ])
}

/**
 * Each round restarts every contender: two processes of the same program may differ by a tenth as long as they run. The recorded
 * answers apply to the next process, because handlers always answer the same bytes.
 */
async function compare(contenders, chosen, verdicts) {
  const wanted = contenders.filter(({ label }) => only.length === 0 || only.includes(label))
  const figures = chosen.map(() => new Map())
  for (let round = 0; round < (options.profile ? 1 : rounds); round += 1) {
    const here = []
    for (const { label, start } of wanted) {
      const server = await start()
      if (server !== undefined) here.push({ label, ...server })
      else if (round === 0) console.log(`skipped: no ${label} (Debian: apt-get install ${label})`)
    }
    for (const answer of chosen) {
      for (const contender of here) {
        await check(contender, answer)
        await load(contender, answer, 1) // compiles what is hot
      }
    }
    for (const [index, answer] of chosen.entries()) {
      if (options.profile) await profileAll(here, answer)
      else await takeTurns(here, answer, round, figures[index])
    }
    for (const { child } of here) await stop(child)
  }
  if (options.profile) return
  if (noisy > 0) console.log(`measured under other load: ${noisy} times`)
  for (const [index, answer] of chosen.entries()) {
    console.log(titleOf(answer))
    report(figures[index], verdicts)
  }
}

/** One figure for each contender, in an order that rotates with the rounds. */
async function takeTurns(here, answer, round, figures) {
  for (let turn = 0; turn < here.length; turn += 1) {
    const contender = here[(turn + round) % here.length]
    const { label } = contender
    figures.set(label, [...(figures.get(label) ?? []), await quietLoad(contender, answer)])
  }
}

/** A hit of the edge, and its complete answer. */
async function record(server, { title, path, headers, isConditional = false }) {
  const wantsBrotli = headers['accept-encoding'] === 'br'
  let whole
  for (let turn = 0; ; turn += 1) {
    whole = await get(server, path, headers)
    const isVariant = !wantsBrotli || whole.headers['content-encoding'] === 'br'
    if (/\bhit\b/.test(whole.headers['cache-status']) && isVariant) break
    if (turn === 100) throw new Error(`${path} is no hit: ${JSON.stringify(whole.headers)}`)
    await sleep(50)
  }
  if (!isConditional) return { title, path, requestHeaders: headers, ...whole, whole }
  const requestHeaders = { ...headers, 'if-none-match': whole.headers.etag }
  return { title, path, requestHeaders, ...(await get(server, path, requestHeaders)), whole }
}

/** Throws if the contender has another answer than the others. */
async function check({ label, port }, { path, requestHeaders, status, headers, body }) {
  const theirs = await settledAnswer({ port }, path, requestHeaders, body)
  if (theirs.status !== status) throw new Error(`${label} answers ${path} with ${theirs.status} and not ${status}`)
  if (!theirs.body.equals(body)) throw new Error(`${label} answers ${path} with other bytes`)
  const isProxy = label === 'nginx' || label === 'varnish'
  for (const [name, value] of Object.entries(headers)) {
    if (volatileFields.includes(name)) continue
    // In a 304 they omit fields that the client has.
    if (isProxy && status === 304 && theirs.headers[name] === undefined) continue
    if (theirs.headers[name] !== value) {
      throw new Error(`${label} answers ${path} with ${name}: ${theirs.headers[name]} and not ${value}`)
    }
  }
}

/** The answer once an empty cache has been filled and has the requested variant. */
async function settledAnswer(server, path, requestHeaders, body) {
  for (let turn = 0; ; turn += 1) {
    const answer = await get(server, path, requestHeaders)
    if (turn > 0 && (answer.body.equals(body) || turn === 100)) return answer
    if (turn > 0) await sleep(50)
  }
}

/** Status, end-to-end header fields, and the bytes as sent. */
async function get({ port }, path, headers) {
  const sent = request({ host: '127.0.0.1', port, path, headers, agent: false }).end()
  const [response] = await once(sent, 'response')
  const chunks = await response.toArray()
  const { date: _date, connection: _connection, 'keep-alive': _keepAlive, ...fields } = response.headers
  return { status: response.statusCode, headers: fields, body: Buffer.concat(chunks) }
}

/** Repeats a measurement under other load; after some attempts it counts, with a note. */
async function quietLoad(contender, answer) {
  for (let turn = 0; ; turn += 1) {
    const figure = await load(contender, answer, seconds)
    if (figure.others <= maxOtherLoad) return figure
    if (turn === 5) {
      noisy += 1
      return figure
    }
    await sleep(2_000)
  }
}

/** Runs wrk. CPU time is that of the server with its threads and children. */
async function load({ child, port, label }, { path, requestHeaders, status, body }, forSeconds) {
  const fields = Object.entries(requestHeaders).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const flags = ['-t1', '-c64', `-d${forSeconds}s`, '--latency', ...fields, `http://127.0.0.1:${port}${path}`]
  const [program, ...rest] = pinned(1, ['wrk', ...flags])
  const before = { server: cpuSeconds(child.pid), machine: machineSeconds(), at: performance.now() }
  const { stdout } = await run(program, rest)
  const cpu = cpuSeconds(child.pid) - before.server
  const machine = machineSeconds() - before.machine
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`${label}: ${stdout}`)
  const [, requests, bytes] = /(\d+) requests in [\d.]+s, ([\d.]+\w+) read/.exec(stdout)
  if (status === 200 && inBytes(bytes) / requests < body.length)
    throw new Error(`${label} answered too little: ${stdout}`)
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)[1]),
    p50: inMs(/^ +50% +(\S+)/m.exec(stdout)[1]),
    p99: inMs(/^ +99% +(\S+)/m.exec(stdout)[1]),
    cpuUs: (cpu * 1e6) / Number(requests),
    others: (machine - cpu) / ((performance.now() - before.at) / 1e3),
  }
}

function report(figures, verdicts) {
  const of = (label, field) => figures.get(label).map((figure) => figure[field])
  const ratios = (label, other, field = 'perSecond') => {
    if (!figures.has(label) || !figures.has(other)) return undefined
    const theirs = of(other, field)
    return median(of(label, field).map((value, round) => value / theirs[round]))
  }
  const [first] = figures.keys()
  const columns = ['requests/s', `of ${first}`, 'p50 ms', 'p99 ms', 'CPU us', `of ${first}`]
  console.log(`${''.padEnd(26)}${columns.map((column) => column.padStart(13)).join('')}`)
  for (const label of figures.keys()) {
    const cells = [
      Math.round(median(of(label, 'perSecond'))),
      `${ratios(label, first).toFixed(2)}x`,
      median(of(label, 'p50')).toFixed(2),
      median(of(label, 'p99')).toFixed(2),
      median(of(label, 'cpuUs')).toFixed(1),
      `${ratios(label, first, 'cpuUs').toFixed(2)}x`,
    ]
    console.log(`${label.padEnd(26)}${cells.map((cell) => String(cell).padStart(13)).join('')}`)
  }
  for (const { what, ratio, minRatio } of verdicts({ ratios })) {
    if (ratio === undefined) continue
    const verdict = minRatio === undefined ? '' : `  target >= ${minRatio}x: ${ratio >= minRatio ? 'ok' : 'MISS'}`
    console.log(`${what.padEnd(39)}${ratio.toFixed(2).padStart(12)}x${verdict}`)
  }
}

/** Profiles the contenders under the same load. */
async function profileAll(here, answer) {
  console.log(titleOf(answer))
  for (const contender of here.filter(({ child }) => child.connected)) {
    contender.child.send({ profileMs: 3_000 })
    const reply = once(contender.child, 'message')
    const [[{ profile }], { perSecond }] = await Promise.all([reply, load(contender, answer, 4)])
    console.log(`\n  ${contender.label}: ${Math.round(perSecond)} requests/s while profiled`)
    printProfile(profile)
  }
}

function titleOf({ title, status, body }) {
  return `\n${title} (${status}, ${body.length} bytes)`
}

async function startNode(kind, answers, environment = {}) {
  const [program, ...rest] = pinned(0, [process.execPath, file, kind])
  const env = { PATH: process.env.PATH, ...environment }
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc']
  const child = spawn(program, rest, { env, stdio, serialization: 'advanced' })
  started.add(child)
  child.send({ answers })
  const [{ port }] = await once(child, 'message')
  return { child, port }
}

/** Another cache, once it listens; `undefined` if it is not installed. */
async function startProxy(configure, originPort) {
  const { port, command } = await configure({ folder, originPort })
  if (!has(command[0])) return undefined
  const [program, ...rest] = pinned(0, command)
  const child = spawn(program, rest, { stdio: 'ignore' })
  started.add(child)
  for (let turn = 0; ; turn += 1) {
    const isUp = await get({ port }, '/html', {}).then(
      () => true,
      () => false,
    )
    if (isUp) return { child, port }
    if (turn === 200 || child.exitCode !== null) throw new Error(`${command.join(' ')} does not answer`)
    await sleep(50)
  }
}

async function stop(child) {
  started.delete(child)
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  await gone
}

function pinned(core, command) {
  return isPinned ? ['taskset', '-c', String(core), ...command] : command
}

function has(program) {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0
}

/** CPU time of a process and its children so far. */
function cpuSeconds(pid) {
  const ticks = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  const own = (Number(ticks[11]) + Number(ticks[12])) / 100 // user and system time, in hundredths of a second on Linux
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean),
  )
  return children.reduce((sum, child) => sum + cpuSeconds(child), own)
}

/** CPU time of the machine without this process and wrk. */
function machineSeconds() {
  const [, user, nice, system, , , irq, softirq, steal] = readFileSync('/proc/stat', 'utf8').split(/\s+/).map(Number)
  const own = readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ').slice(11, 15).map(Number)
  return (user + nice + system + irq + softirq + steal - own.reduce((sum, ticks) => sum + ticks)) / 100
}

function inMs(text) {
  const [, number, unit] = /^([\d.]+)(us|ms|s)$/.exec(text)
  return Number(number) * { us: 1e-3, ms: 1, s: 1e3 }[unit]
}

function inBytes(text) {
  const [, number, unit] = /^([\d.]+)(\w+)$/.exec(text)
  return Number(number) * { B: 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 }[unit]
}
