import { readFile } from 'node:fs/promises'
import { lengthenTimeouts } from '../../harness/long-timeouts.js'
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
// and a conversation over sockets that shows it. All rows are played three times, as the stores and processes differ.

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

const clauses = [...new Set(rows.map(({ clause }) => clause))]

/** Conversations that are held at the same time, each with a clock, an origin and caches of its own. */
const conversations = 6

type Complaints = ReadonlyMap<Row, readonly string[]>

async function playAll(options: CachesOptions): Promise<Complaints> {
  const complaints = new Map<Row, readonly string[]>()
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

/** Everything that rows of the clause complain of. */
function complaintsOf(clause: string, complaints: Complaints): string[] {
  return rows
    .filter((row) => row.clause === clause)
    .flatMap((row) => (complaints.get(row) ?? ['not played']).map((complaint) => `${row.title}: ${complaint}`))
}

async function playEverywhere(): Promise<ReadonlyMap<string, Complaints>> {
  const redis = await startRedis()
  const arrangements: readonly (readonly [name: string, options: CachesOptions])[] = [
    ['one cache that stores responses in memory', {}],
    ['one cache that stores responses in Redis too', { redisUrl: redis.url }],
    ['two caches on one Redis, asked in turn', { redisUrl: redis.url, count: 2 }],
  ]
  const played = new Map<string, Complaints>()
  try {
    for (const [name, options] of arrangements) played.set(name, await playAll(options))
  } finally {
    await redis.stop()
  }
  return played
}

lengthenTimeouts()
const played = await playEverywhere()

// The runner follows every promise and socket of the process from the moment that it is loaded. That would take a quarter
// of the time of the rows, so it is loaded after them.
const { default: t } = await import('tap')

for (const [name, complaints] of played) {
  t.test(name, async (t) => {
    for (const clause of clauses) {
      const count = rows.filter((row) => row.clause === clause).length
      t.strictSame(complaintsOf(clause, complaints), [], `${clause}: ${count} rows`)
    }
  })
}

t.test('a title names one row', async (t) => {
  const titles = rows.map(({ title }) => title)
  t.strictSame(
    titles.filter((title, index) => titles.indexOf(title) !== index),
    [],
  )
})

t.test(
  'plugins/docs/conformance.md has every clause, with its rows, and everything that is not supported',
  async (t) => {
    const page = await readFile(new URL('../../../plugins/docs/conformance.md', import.meta.url), 'utf8')
    const lines = [...page.matchAll(/^\| (RFC \d+ §[\d.]+) \|.*\| ([^|]+) \| (\d+) \|$/gm)]
    const counts = clauses.map((clause) => `${clause}: ${rows.filter((row) => row.clause === clause).length} rows`)
    t.strictSame(lines.map(([, clause, , count]) => `${clause}: ${count} rows`).sort(), counts.sort())
    const unknown = lines.filter(
      ([, clause, title]) => !rows.some((row) => row.clause === clause && row.title === title),
    )
    t.strictSame(
      unknown.map(([line]) => line),
      [],
      'the example of each clause is one of its rows',
    )
    const unsupported = rows.filter(({ supported }) => supported === false)
    const told = [...page.matchAll(/^- (RFC .*)$/gm)].map(([, line]) => line)
    t.strictSame(told.sort(), unsupported.map(({ clause, title }) => `${clause}: ${title}`).sort())
  },
)
