// How soon the application answers. Method: the compiled server in a separate process with the demo marketplace (80 ms a
// call), requests over loopback. Prints milliseconds. Requires `npm run build` and, for the last part, redis-server.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { freePort, round, startServer, summary, timeGet } from './harness.js'

const starts = []
for (let run = 0; run < 5; run += 1) {
  const server = await startServer()
  starts.push(server.startMs)
  await server.stop()
}
console.log('start-up to listening, five runs:', starts.map(round).join(', '))

const four = await Promise.all([1, 2, 3, 4].map(() => startServer()))
console.log('four at once, each to listening:', four.map(({ startMs }) => round(startMs)).join(', '))
const [server, ...others] = four
await Promise.all(others.map((other) => other.stop()))

console.log('panel, cold:', round((await timeGet(`${server.url}/`)).ms))
for (const path of ['/', '/panels/sellers?page=7', '/api/v1/sellers?page=7']) {
  const times = []
  for (let request = 0; request < 200; request += 1) times.push((await timeGet(server.url + path)).ms)
  const { p50, p99, max } = summary(times)
  console.log(`${path}, warm: p50 ${round(p50)}, p99 ${round(p99)}, max ${round(max)}`)
}
await server.stop()

const port = await freePort()
const startedAt = performance.now()
const withoutRedis = await startServer({ REDIS_URL: `redis://127.0.0.1:${port}` })
const { status } = await timeGet(`${withoutRedis.url}/api/v1/sellers`)
console.log(
  `Redis refused: first response ${status}, ${round(performance.now() - startedAt)} after the process was started`,
)
const warnings = withoutRedis.lines.filter(({ level }) => level === 40).map(({ msg, kind }) => `${kind ?? ''} ${msg}`)
console.log('its warnings:', warnings)
const redis = spawn('redis-server', ['--port', String(port), '--save', '', '--bind', '127.0.0.1'], { stdio: 'ignore' })
const redisStartedAt = performance.now()
for (;;) {
  if ((await timeGet(`${withoutRedis.url}/api/v1/sellers`)).ms < 60) break // below the latency of a single upstream call
  if (performance.now() - redisStartedAt > 20_000) throw new Error('Redis is up, but nothing is cached')
}
console.log(`responses from Redis ${round(performance.now() - redisStartedAt)} after redis-server was started`)
await withoutRedis.stop()
redis.kill('SIGKILL')
await once(redis, 'exit')
