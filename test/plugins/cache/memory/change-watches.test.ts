import t from 'tap'
import { type ChangeWatch, ChangeWatches } from '../../../../plugins/cache/memory/change-watches.js'

t.test('a change of one key leaves watches of other keys current; a change of all keys does not', async (t) => {
  const watches = new ChangeWatches()
  const [first, second, other] = [watches.start('k'), watches.start('k'), watches.start('other')]
  watches.changed('k')
  t.strictSame([first.isCurrent, second.isCurrent, other.isCurrent], [false, false, true])
  watches.allChanged()
  t.match(other, { isCurrent: false, hasChanged: true })
})

t.test('a possible change ends a watch without counting as a change', async (t) => {
  const watches = new ChangeWatches()
  const watch = watches.start('k')
  watches.allMayHaveChanged()
  t.match(watch, { isCurrent: false, hasChanged: false })
})

t.test('a removed watch is not notified', async (t) => {
  const watches = new ChangeWatches()
  const [first, second, third] = [watches.start('k'), watches.start('k'), watches.start('k')]
  watches.stop('k', second)
  watches.stop('k', third)
  watches.changed('k')
  t.strictSame([first.isCurrent, second.isCurrent, third.isCurrent], [false, true, true])
})

t.test('watches of one key can be removed in any order', async (t) => {
  const watches = new ChangeWatches()
  for (const order of ['012', '021', '102', '120', '201', '210']) {
    const started = [watches.start('k'), watches.start('k'), watches.start('k')]
    const removed = new Set<ChangeWatch>()
    for (const at of order) {
      watches.changed('k')
      t.strictSame(
        started.map((watch) => watch.isCurrent),
        started.map((watch) => removed.has(watch)),
        order,
      )
      for (const watch of started) watch.isCurrent = true
      const watch = started[Number(at)]
      if (watch === undefined) throw new Error('there are three')
      watches.stop('k', watch)
      removed.add(watch)
    }
  }
})

t.test('removing one of many watches touches its neighbours only', async (t) => {
  const watches = new ChangeWatches()
  const touched = new Set<number>()
  const started = Array.from({ length: 100 }, (_none, at) => {
    const watch = watches.start('k')
    for (const name of ['next', 'previous'] as const) {
      let neighbour = watch[name]
      Object.defineProperty(watch, name, {
        get() {
          touched.add(at)
          return neighbour
        },
        set(other: ChangeWatch | undefined) {
          touched.add(at)
          neighbour = other
        },
      })
    }
    return watch
  })
  for (const at of [50, 20, 99, 0]) {
    touched.clear()
    const watch = started[at]
    if (watch !== undefined) watches.stop('k', watch)
    t.ok(touched.size > 0 && [...touched].every((other) => Math.abs(other - at) <= 1), `${at}: ${[...touched]}`)
  }
})
