// What one client can do to others with large requests. Method: the compiled application with its demo marketplace. Four other
// clients request pages and lists, one after the other, with a pause of 5 ms. In short turns they are alone, or a client at
// another address sends 10 requests a second of one kind, each about as large as Node.js accepts. Printed are the 90th percentile
// of the others' response times in both, the median of the ratios of adjacent turns, and the CPU time of the server for one large
// request, measured on its own.
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startServer, summary } from './harness.js'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '12' }, only: { type: 'string' } } })
const rounds = Number(values.rounds)
const turnMs = 300
const token = 'correct-horse-battery-staple'
const long = 15_000
const list = (member) => member.repeat(Math.floor(long / member.length))
const numbered = (format, size) => {
  let text = ''
  for (let n = 0; text.length < long; n += 1) text += format(String(n).padStart(size, '0'))
  return text
}

const get = (headers, path = '/') => ({ path: () => path, headers: () => headers })
const post = (path, type, body) => ({
  method: 'POST',
  path: () => path,
  headers: () => ({ 'content-type': type }),
  body,
})
let unique = 0
/** A new value each time, so that nothing remembered helps. */
const fresh = (name, value, path = '/') => ({
  path: () => path,
  headers() {
    unique += 1
    return { [name]: `${unique},${value}` }
  },
})

const kinds = {
  'a small request': get({}),
  'Accept-Language': fresh('accept-language', list('a,')),
  'Accept-Language, API': fresh('accept-language', list('a,'), '/api/v1/sellers'),
  Accept: fresh('accept', list('text/htm;q=0.1,')),
  'Accept, unknown path': fresh('accept', list('text/htm;q=0.1,'), '/nothing'),
  'Accept-Encoding': fresh('accept-encoding', list('br;q=0.5,')),
  'Accept-Encoding, codings': fresh(
    'accept-encoding',
    numbered((n) => `a${n},`, 4),
  ),
  'If-None-Match': fresh('if-none-match', list('"a",')),
  'If-None-Match, weak': fresh('if-none-match', list('W/"",')),
  'If-Modified-Since': get({ 'if-modified-since': 'x'.repeat(long) }),
  Range: get({ range: `bytes=${list('0-1,')}0-1` }),
  'Cache-Control': fresh('cache-control', list('no-cach=1,')),
  'Cache-Control, quotes': fresh('cache-control', list('a="\\"",')),
  Pragma: get({ pragma: list('no-cache,') }),
  Connection: get({ connection: `close,${list('x,')}` }),
  Cookie: get({ cookie: list('a=b; ') }),
  'Cookie, operator page': get({ cookie: numbered((n) => `c${n}=%20; `, 4) }, '/ops/cache'),
  'Authorization, operator page': get({ authorization: `Bearer ${'x'.repeat(long)}` }, '/ops/cache'),
  'Authorization, blanks': get({ authorization: `Bearer${' '.repeat(long)}x y` }, '/ops/cache'),
  'X-Request-Id': get({ 'x-request-id': 'a'.repeat(long) }),
  traceparent: get({ traceparent: `00-${'0'.repeat(long)}` }, '/panels/sellers?page=9'),
  'X-Forwarded-For': get({ 'x-forwarded-for': list('1.1.1.1, ') }),
  'X-Forwarded-For, trusted proxy': get({ 'x-forwarded-for': list('127.0.0.2, ') }),
  'HX-Request': get({ 'hx-request': 'x'.repeat(long), 'hx-current-url': 'x' }),
  'User-Agent': get({ 'user-agent': 'x'.repeat(long) }),
  'many fields': get(Object.fromEntries(Array.from({ length: 900 }, (_, n) => [`x-${n}`, 'x'.repeat(6)]))),
  'query, many parameters': get({}, `/panels/sellers?${numbered((n) => `p${n}=1&`, 4)}`),
  'query, many parameters, API': get({}, `/api/v1/sellers?${numbered((n) => `p${n}=1&`, 4)}`),
  'query, one parameter many times': get({}, `/panels/sellers?${list('name=a&')}`),
  'query, escapes': get({}, `/panels/sellers?name=${list('%41')}`),
  'query, broken escapes': get({}, `/panels/sellers?name=${list('%zz')}`),
  'filter of 200 characters': get({}, `/api/v1/sellers?name=${'a'.repeat(200)}`),
  'filter, too long': get({}, `/api/v1/sellers?name=${'a'.repeat(long)}`),
  'path, one segment': get({}, `/api/v1/sellers/${'a'.repeat(long)}/catalogs`),
  'path, many segments': get({}, list('/a')),
  'path, broken escapes': get({}, `/${list('%zz')}`),
  'asset, unknown versions': get({}, `/assets/vitrine.css?v=${'a'.repeat(long)}`),
  'form, long token': post('/ops/cache/session', 'application/x-www-form-urlencoded', `token=${'x'.repeat(long)}`),
  'form, many fields': post(
    '/ops/cache/session',
    'application/x-www-form-urlencoded',
    numbered((n) => `f${n}=1&`, 4),
  ),
  'JSON, unknown path': post('/nothing', 'application/json', JSON.stringify(Array(30_000).fill(1))),
  'JSON, deep': post('/nothing', 'application/json', `${'['.repeat(30_000)}${']'.repeat(30_000)}`),
}

const server = await startServer({
  RATE_LIMIT_MAX: '1000000', // the others are one address; it must not be the limit
  TRUST_PROXY: '127.0.0.2',
  PURGE_TOKEN: token,
})
const { port } = new URL(server.url)
const agents = { other: new Agent({ keepAlive: true }), hostile: new Agent({ keepAlive: true }) }
const paths = ['/', '/panels/sellers?page=2', '/api/v1/sellers', '/api/v1/sellers?page=3', '/panels/sellers?page=5']

function send(agent, localAddress, { method = 'GET', path, headers, body }) {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now()
    const options = { port, agent, localAddress, method, path: path(), headers: headers() }
    const sent = request(options, (response) => {
      response.resume().on('end', () => resolve({ status: response.statusCode, ms: performance.now() - startedAt }))
      response.on('error', reject)
    })
    sent.on('error', reject).end(body)
  })
}

async function others(until, times) {
  let n = 0
  const one = async () => {
    while (performance.now() < until) {
      n += 1
      const { ms } = await send(agents.other, '127.0.0.1', get({}, paths[n % paths.length]))
      times.push(ms)
      await sleep(5)
    }
  }
  await Promise.all(Array.from({ length: 4 }, one))
}

async function hostile(until, kind) {
  const sent = []
  while (performance.now() < until) {
    sent.push(send(agents.hostile, addressOf(kind), kinds[kind]).catch(() => undefined))
    await sleep(100)
  }
  await Promise.all(sent)
}

const addressOf = (kind) => (kind.includes('trusted') ? '127.0.0.2' : '127.0.0.3')
const p90 = (times) => [...times].sort((a, b) => a - b)[Math.floor(times.length * 0.9)]

/** Milliseconds of CPU time of the server so far. */
function cpuMs() {
  const fields = readFileSync(`/proc/${server.child.pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

async function costOf(kind, count = 100) {
  let status
  const before = cpuMs()
  for (let n = 0; n < count; n += 1)
    status = (await send(agents.hostile, addressOf(kind), kinds[kind]).catch(String)).status
  return { status, ms: (cpuMs() - before) / count }
}

try {
  await others(performance.now() + 2_000, []) // warm-up
  let missed = 0
  console.log('kind                                status  CPU ms   p90 alone  p90 next to it  ratio')
  for (const kind of Object.keys(kinds).filter((name) => values.only === undefined || name.includes(values.only))) {
    const { status, ms } = await costOf(kind)
    const [quiet, busy, ratios] = [[], [], []]
    for (let time = 0; time < rounds; time += 1) {
      const turn = { alone: [], nextToIt: [] }
      for (const name of time % 2 === 0 ? ['alone', 'nextToIt'] : ['nextToIt', 'alone']) {
        const until = performance.now() + turnMs
        await Promise.all([others(until, turn[name]), name === 'nextToIt' ? hostile(until, kind) : undefined])
      }
      quiet.push(...turn.alone)
      busy.push(...turn.nextToIt)
      ratios.push(p90(turn.nextToIt) / p90(turn.alone))
    }
    const ratio = rounds === 0 ? 1 : summary(ratios).p50
    if (ratio > 2) missed += 1
    const cells = [kind.padEnd(36), String(status).padEnd(7), ms.toFixed(2).padStart(6)]
    const verdict = ratio > 2 ? 'MISS' : 'ok'
    const times = rounds === 0 ? [] : [p90(quiet).toFixed(1), p90(busy).toFixed(1), `${ratio.toFixed(2)} ${verdict}`]
    console.log(...cells, ...times.map((value) => value.padStart(12)))
  }
  console.log(`${missed} kinds over the target of 2`)
} finally {
  agents.other.destroy()
  agents.hostile.destroy()
  await server.stop()
}
