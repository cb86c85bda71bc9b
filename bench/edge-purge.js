// How soon a purge of `sellers` in one process reaches the responses of the others. Method: three servers on one Redis, all on
// this machine, with warm pages and JSON of the sellers. One process purges while every URL of every process is requested in a
// loop. The result of a round is the time from the purge request to the start of the last request, in any process, that was
// answered with an old response. Requires `npm run build` and redis-server.
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

/** Whether the URL is answered with a stored response. */
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
  const startedAt = performance.now()
  const purge = fetch(`${servers[count % servers.length].url}/ops/cache/purge`, {
    method: 'POST',
    headers: { authorization: 'Bearer bench', 'content-type': 'application/json' },
    body: JSON.stringify({ tags: ['sellers'] }),
  })
  const lasts = await Promise.all(
    urls.map(async (url) => {
      for (let last = 0; ; ) {
        const began = performance.now()
        if (!(await isHit(url))) return last
        last = began - startedAt
      }
    }),
  )
  if ((await purge).status !== 200) throw new Error('the purge failed')
  lags.push(Math.max(...lasts))
}
const { p50, max } = summary(lags)
console.log(
  `${rounds} purges, ${urls.length} URLs: last old response p50 ${round(p50)} ms, max ${round(max)} ms after the purge request`,
)
await Promise.all(servers.map((server) => server.stop()))
redis.kill('SIGKILL')
await once(redis, 'exit')
