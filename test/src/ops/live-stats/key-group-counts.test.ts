import t from 'tap'
import { KeyGroupCounts } from '../../../../src/ops/live-stats/key-group-counts.js'

t.test('reads, hits and loads are counted by key group, the busiest first', async (t) => {
  const counts = new KeyGroupCounts(3)
  counts.recordRead('sellers_all', true)
  counts.recordRead('catalogs_seller', false)
  counts.recordRead('catalogs_seller', true)
  counts.recordLoad('catalogs_seller', 30, false)
  counts.recordLoad('catalogs_seller', 50, true)
  t.strictSame(counts.busiest(8), [
    { keyGroup: 'catalogs_seller', reads: 2, hits: 1, loads: 2, failed: 1, meanLoadMs: 40 },
    { keyGroup: 'sellers_all', reads: 1, hits: 1, loads: 0, failed: 0, meanLoadMs: undefined },
  ])
  t.equal(counts.busiest(1).length, 1)
})

t.test('counts older than the window are dropped slice by slice', async (t) => {
  const counts = new KeyGroupCounts(3)
  counts.recordRead('a', true)
  counts.rotate()
  counts.recordRead('a', true)
  counts.rotate()
  t.equal(counts.busiest(8)[0]?.reads, 2)
  counts.rotate()
  t.equal(counts.busiest(8)[0]?.reads, 1)
  counts.rotate()
  t.strictSame(counts.busiest(8), [])
})
