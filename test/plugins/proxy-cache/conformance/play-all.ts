import { multiplyTimeouts } from '../../../harness/multiply-timeouts.js'
import { type CachesOptions, startCaches } from './caches.js'
import { play } from './play.js'
import type { Row } from './row.js'
import { clauses, countRows, rows } from './rows.js'

// A route with `config: { proxyCache: {} }` is a shared HTTP cache. Each row of the tables is a rule
// and a conversation over sockets that shows it. All rows are played in three files, as the stores and processes differ.

/** Conversations that are held at the same time, each with a clock, an origin and caches of its own. */
const conversations = 6

/**
 * Plays all rows and reports them, one assertion for each clause. The test runner follows every promise and socket of the
 * process from the moment that it is loaded, which would take a quarter of the time: it is loaded after the last row.
 */
export async function testAll(title: string, options: CachesOptions, stop?: () => Promise<void>): Promise<void> {
  multiplyTimeouts()
  const complaints = await playAll(options)
  await stop?.()
  const { default: t } = await import('tap')
  t.test(title, async (t) => {
    for (const clause of clauses) t.strictSame(complaintsOf(clause, complaints), [], countRows(clause))
  })
}

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
