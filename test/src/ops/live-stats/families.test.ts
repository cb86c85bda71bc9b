import t from 'tap'
import { Families } from '../../../../src/ops/live-stats/families.js'

t.test('reads, hits and loads are counted by family, the busiest first', async (t) => {
  const families = new Families(3)
  families.read('sellers_all', true)
  families.read('catalogs_seller', false)
  families.read('catalogs_seller', true)
  families.loaded('catalogs_seller', 30, false)
  families.loaded('catalogs_seller', 50, true)
  t.strictSame(families.busiest(8), [
    { family: 'catalogs_seller', reads: 2, hits: 1, loads: 2, failed: 1, loadMs: 40 },
    { family: 'sellers_all', reads: 1, hits: 1, loads: 0, failed: 0, loadMs: undefined },
  ])
  t.equal(families.busiest(1).length, 1)
})

t.test('what is older than the window is forgotten slice by slice', async (t) => {
  const families = new Families(3)
  families.read('a', true)
  families.slide()
  families.read('a', true)
  families.slide()
  t.equal(families.busiest(8)[0]?.reads, 2)
  families.slide()
  t.equal(families.busiest(8)[0]?.reads, 1)
  families.slide()
  t.strictSame(families.busiest(8), [])
})
