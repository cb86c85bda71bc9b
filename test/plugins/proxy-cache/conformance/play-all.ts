import { multiplyTimeouts } from '../../../harness/multiply-timeouts.js'
import { type CachesOptions, startCaches } from './caches.js'
import { play } from './play.js'
import type { Row } from './row.js'
import { clauses, countRows, rows } from './rows.js'

// A route with `config: { proxyCache: {} }` is a shared HTTP cache. Each row of the tables is a rule
// and a conversation over sockets that shows it. Three files play all rows, with different stores and processes.

/** Number of concurrent conversations, each with a clock, an origin and caches of its own. */
const conversations = 6

/**
 * Plays all rows, with one assertion for each clause. The test runner tracks every promise and socket once it is loaded, which would
 * take a quarter of the time: it is loaded after the last row.
 */
export async function testAll(title: string, options: CachesOptions, stop?: () => Promise<void>): Promise<void> {
  multiplyTimeouts()
  const failures = await playAll(options)
  await stop?.()
  const { default: t } = await import('tap')
  t.test(title, async (t) => {
    for (const clause of clauses) t.strictSame(failuresOf(clause, failures), [], countRows(clause))
  })
}

type Failures = ReadonlyMap<Row, readonly string[]>

async function playAll(options: CachesOptions): Promise<Failures> {
  const failures = new Map<Row, readonly string[]>()
  const waiting = [...rows]
  const converse = async () => {
    const caches = await startCaches(options)
    for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) {
      failures.set(row, await play(row, caches))
    }
    await caches.close()
  }
  await Promise.all(Array.from({ length: conversations }, converse))
  return failures
}

/** The failures of the rows of a clause. */
function failuresOf(clause: string, failures: Failures): string[] {
  return rows
    .filter((row) => row.clause === clause)
    .flatMap((row) => (failures.get(row) ?? ['not played']).map((failure) => `${row.title}: ${failure}`))
}
