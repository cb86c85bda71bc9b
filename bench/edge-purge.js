// How soon a purge of `sellers` at one process is seen in what the others answer. Method: three servers on one Redis, all
// processes of this machine; pages and JSON made from the sellers are warm in each; one process is told to purge, while every
// address of every process is asked again and again. Told per round: milliseconds from ordering the purge to the start of the last
// request, anywhere, that was still answered with what was kept before. Wants `npm run build` and redis-server.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { freePort, round, startServer, summary } from './harness.js'

const rounds = Number(process.argv[2] ?? 30)
const paths = [
  '/',
  '/panels/sellers?page=2',
  '/panels/sellers?page_size=100',
  '/api/v1/sellers',
  '/api/v1/sellers?page=3',
]
const port = await freePort()
const redis = spawn('redis-server', ['--port', String(port), '--save', '', '--bind', '127.0.0.1'], { stdio: 'ignore' })
const environment = { REDIS_URL: `redis://127.0.0.1:${port}`, PURGE_TOKEN: 'bench' }
const servers = await Promise.all([1, 2, 3].map(() => startServer(environment)))

/** Whether it was answered with what was kept. */
async function isHit(url) {
  const response = await fetch(url)
  await response.arrayBuffer()
  return response.headers.get('cache-status').includes('; hit')
}

async function warm(url) {
  while (!(await isHit(url))) await new Promise((resolve) => setTimeout(resolve, 5))
}

const urls = servers.flatMap((server) => paths.map((path) => server.url + path))
const lags = []
for (let count = 0; count < rounds; count += 1) {
  await Promise.all(urls.map(warm))
  await new Promise((resolve) => setTimeout(resolve, 50))
  const ordered = performance.now()
  const purging = fetch(`${servers[count % servers.length].url}/ops/cache/purge`, {
    method: 'POST',
    headers: { authorization: 'Bearer bench', 'content-type': 'application/json' },
    body: JSON.stringify({ tags: ['sellers'] }),
  })
  const lasts = await Promise.all(
    urls.map(async (url) => {
      for (let last = 0; ; ) {
        const began = performance.now()
        if (!(await isHit(url))) return last
        last = began - ordered
      }
    }),
  )
  if ((await purging).status !== 200) throw new Error('the purge was not done')
  lags.push(Math.max(...lasts))
}
const { p50, max } = summary(lags)
console.log(
  `${rounds} purges, ${urls.length} addresses: last old answer p50 ${round(p50)} ms, max ${round(max)} ms after the order`,
)
await Promise.all(servers.map((server) => server.stop()))
redis.kill('SIGKILL')
await once(redis, 'exit')
