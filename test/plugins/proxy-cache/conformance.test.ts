import { readFile } from 'node:fs/promises'
import { testAll } from './conformance/play-all.js'
import { clauses, countRows, rows } from './conformance/rows.js'

await testAll('one cache that stores responses in memory', {})

const { default: t } = await import('tap')

t.test('titles are unique', async (t) => {
  const titles = rows.map(({ title }) => title)
  t.strictSame(
    titles.filter((title, index) => titles.indexOf(title) !== index),
    [],
  )
})

t.test(
  'plugins/docs/conformance.md lists every clause with its number of rows, and what is not supported',
  async (t) => {
    const page = await readFile(new URL('../../../plugins/docs/conformance.md', import.meta.url), 'utf8')
    const lines = [...page.matchAll(/^\| (RFC \d+ §[\d.]+) \|.*\| ([^|]+) \| (\d+) \|$/gm)]
    t.strictSame(lines.map(([, clause, , count]) => `${clause}: ${count} rows`).sort(), clauses.map(countRows).sort())
    const unknown = lines.filter(
      ([, clause, title]) => !rows.some((row) => row.clause === clause && row.title === title),
    )
    t.strictSame(
      unknown.map(([line]) => line),
      [],
      'the example of each clause is one of its rows',
    )
    const unsupported = rows.filter(({ supported }) => supported === false)
    const cacheStatus = [...page.matchAll(/^- (RFC .*)$/gm)].map(([, line]) => line)
    t.strictSame(cacheStatus.sort(), unsupported.map(({ clause, title }) => `${clause}: ${title}`).sort())
  },
)
