import { readFile } from 'node:fs/promises'
import t from 'tap'
import { startRedis } from '../../harness/redis-server.js'
import { type CachesOptions, startCaches } from './conformance/caches.js'
import { conditional } from './conformance/conditional.js'
import { directives } from './conformance/directives.js'
import { fields } from './conformance/fields.js'
import { freshness } from './conformance/freshness.js'
import { methods } from './conformance/methods.js'
import { play } from './conformance/play.js'
import { range9110 } from './conformance/range.js'
import { requests } from './conformance/requests.js'
import type { Row } from './conformance/row.js'
import { stale } from './conformance/stale.js'
import { storing } from './conformance/storing.js'
import { targeted } from './conformance/targeted.js'
import { validation } from './conformance/validation.js'
import { vary } from './conformance/vary.js'

// A route with `config: { edge: {} }` that forwards to an origin is a shared HTTP cache. Each row of the tables is a rule
// and a conversation over sockets that shows it; all of them are held three times, as the stores and processes differ.

const rows: readonly Row[] = [
  ...storing,
  ...directives,
  ...freshness,
  ...stale,
  ...requests,
  ...vary,
  ...methods,
  ...conditional,
  ...validation,
  ...range9110,
  ...fields,
  ...targeted,
].filter(({ title }) => title.includes(process.env.ROW ?? ''))

/** Conversations that are held at the same time, each with a clock, an origin and caches of its own. */
const conversations = 6

const redis = await startRedis()
t.teardown(() => redis.stop())

const arrangements: readonly (readonly [name: string, options: CachesOptions])[] = [
  ['one cache that keeps responses in memory', {}],
  ['one cache that keeps responses in Redis as well', { redisUrl: redis.url }],
  ['two caches on one Redis, asked in turn', { redisUrl: redis.url, count: 2 }],
]

for (const [name, options] of arrangements) {
  t.test(name, async (t) => {
    const complaints = await playAll(options)
    for (const row of rows) t.strictSame(complaints.get(row), [], `${row.clause}: ${row.title}`)
  })
}

async function playAll(options: CachesOptions): Promise<ReadonlyMap<Row, string[]>> {
  const complaints = new Map<Row, string[]>()
  const waiting = [...rows]
  const converse = async () => {
    const caches = await startCaches(options)
    for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) {
      complaints.set(row, await play(row, caches))
    }
    await caches.close()
  }
  await Promise.all(Array.from({ length: conversations }, converse))
  return complaints
}

t.test('a title names one row', async (t) => {
  const titles = rows.map(({ title }) => title)
  t.strictSame(
    titles.filter((title, index) => titles.indexOf(title) !== index),
    [],
  )
})

t.test('plugins/docs/conformance.md has every clause, with its rows, and everything that is not done', async (t) => {
  const page = await readFile(new URL('../../../plugins/docs/conformance.md', import.meta.url), 'utf8')
  const told = [...page.matchAll(/^\| (RFC \d+ §[\d.]+) \|.*\| ([^|]+) \| (\d+) \|$/gm)]
  t.strictSame(told.map(([, clause]) => clause).sort(), [...new Set(rows.map(({ clause }) => clause))].sort())
  for (const [, clause, title, count] of told) {
    const its = rows.filter((row) => row.clause === clause)
    t.ok(
      its.some((row) => row.title === title),
      `${clause}: ${title}`,
    )
    t.equal(Number(count), its.length, `rows of ${clause}`)
  }
  const notDone = rows.filter(({ supported }) => supported === false).map(({ clause, title }) => `${clause}: ${title}`)
  t.strictSame([...page.matchAll(/^- (RFC .*)$/gm)].map(([, line]) => line).sort(), notDone.sort())
})
