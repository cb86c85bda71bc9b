import type { FastifyInstance } from 'fastify'
import { channels } from 'fastify-vitrine/cache'
import t from 'tap'
import { startApp } from '../../harness/app.js'
import { makeSellers } from '../../harness/upstream.js'

const sample = /^[a-z_]+(?:\{[a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*\})? [-+\d.e]+$/

async function scrape(app: FastifyInstance): Promise<string[]> {
  const answer = await app.inject('/metrics')
  t.equal(answer.statusCode, 200)
  t.match(answer.headers['content-type'], /^text\/plain; version=0\.0\.4/)
  return answer.body.trimEnd().split('\n')
}

t.test('the metrics are valid Prometheus text and contain no ids', async (t) => {
  const { app, upstream } = await startApp(t, {
    environment: { PURGE_TOKEN: 'x', RATE_LIMIT_MAX: '6' },
    upstream: { sellers: makeSellers(2) },
  })
  for (let count = 0; count < 2; count += 1) await app.inject('/api/v1/sellers')
  await app.inject('/api/v1/sellers/acme/catalogs')
  upstream.fail({ status: 500 })
  await app.inject('/api/v1/sellers/globex/catalogs')
  const headers = { authorization: 'Bearer x' }
  await app.inject({ method: 'POST', url: '/ops/cache/purge', headers, payload: { keys: ['k'], hard: true } })
  for (let count = 0; count < 8; count += 1) await scrape(app) // without rate limit
  const lines = await scrape(app)
  for (const line of lines.filter((line) => line !== '' && !line.startsWith('# '))) t.match(line, sample)
  for (const line of [
    'vitrine_cache_reads_total{key_group="sellers_all",tier="load",reason="miss"} 1',
    'vitrine_cache_reads_total{key_group="sellers_all",tier="memory",reason="hit"} 1', // to see whether acme is a seller
    'vitrine_edge_requests_total{outcome="hit"} 1',
    'vitrine_edge_requests_total{outcome="uri-miss"} 3',
    'vitrine_cache_load_duration_seconds_count{key_group="catalogs_seller"} 2',
    'vitrine_cache_load_failures_total{key_group="catalogs_seller"} 1',
    'vitrine_cache_purges_total{mode="hard"} 1',
    'vitrine_cache_coherence{state="memory-only"} 1',
  ]) {
    t.ok(lines.includes(line), line)
  }
  t.notMatch(lines.join('\n'), /acme|globex/)
})

t.test('two applications in one process have separate counters and unsubscribe when they close', async (t) => {
  const upstream = { sellers: makeSellers(2) }
  const [one, two] = [await startApp(t, { upstream }), await startApp(t, { upstream })]
  await one.app.inject('/api/v1/sellers')
  t.ok((await scrape(one.app)).some((line) => line.startsWith('vitrine_cache_reads_total{')))
  t.notOk((await scrape(two.app)).some((line) => line.startsWith('vitrine_cache_reads_total{')))
  await Promise.all([one.app.close(), two.app.close()])
  t.notOk(channels.read.hasSubscribers)
})
