import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { cacheUnlessFiltered } from '../../../src/http/edge-policy.js'
import { resolveFilter } from '../../../src/schemas/filter.js'

const cases: readonly (readonly [value: unknown, filter: string | undefined])[] = [
  [undefined, undefined],
  ['', undefined],
  [' ', undefined],
  ['\t\n\u00a0\u2003', undefined],
  ['a', 'a'],
  ['0', '0'],
  ['undefined', 'undefined'],
  ['  étude lefèvre ', 'étude lefèvre'],
  [['a'], undefined], // a repeated parameter, which the schema rejects
]

t.test('a filter is trimmed, and a blank one is no filter', async (t) => {
  for (const [value, filter] of cases) t.equal(resolveFilter(value), filter, JSON.stringify(value))
})

t.test('the edge is bypassed exactly where the data cache is', async (t) => {
  const { bypass } = cacheUnlessFiltered(['name', 'title'])
  for (const [value, filter] of cases) {
    const request = { query: { title: value, other: 'x' } } as FastifyRequest // all that it reads
    t.equal(bypass?.(request), filter !== undefined, JSON.stringify(value))
  }
})
