import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { createClock } from '../../harness/clock.js'
import { createDeferred } from '../../harness/deferred.js'
import { startPlugins } from '../../harness/plugins.js'
import { until } from '../../harness/until.js'

const policy = { ttlSeconds: 300, staleWhileRevalidateSeconds: 60, staleIfErrorSeconds: 3_600 }

async function start(t: Parameters<typeof startPlugins>[0]) {
  const clock = createClock()
  const { cache } = (await startPlugins(t, { cache: { ...policy, now: clock.now } })).app
  return { cache, clock }
}

t.test('dependencies have the tags of all reads and the shortest remaining freshness', async (t) => {
  const { cache } = await start(t)
  const { value, dependencies } = await cache.track(async () => {
    const a = await cache.fetch('a', () => 'A', { tags: ['x', 'y'], ttlSeconds: 100 })
    return a + (await cache.fetch('b', () => 'B', { tags: ['y', 'z'] }))
  })
  t.equal(value, 'AB')
  t.strictSame([...dependencies.tags].sort(), ['x', 'y', 'z'])
  t.equal(dependencies.freshForMs, 100_000)
})

t.test('dependencies are current until a value that was read changes, is purged or expires', async (t) => {
  const { cache, clock } = await start(t)
  const changes: [string, () => unknown][] = [
    ['a set', () => cache.set('k', 'other')],
    ['a purge of its tag', () => cache.purge({ tags: ['x'] })],
    ['a purge of its key', () => cache.purge({ keys: ['k'] })],
    ['a delete', () => cache.delete('k')],
    ['the end of freshness', () => clock.step(301)],
  ]
  for (const [name, change] of changes) {
    await cache.delete('k')
    await cache.fetch('k', () => ({ v: 1 }), { tags: ['x'] })
    const { dependencies } = await cache.track(() => cache.fetch('k', () => ({ v: 1 }), { tags: ['x'] }))
    t.equal(dependencies.isCurrent(), true, `before ${name}`)
    await change()
    t.equal(dependencies.isCurrent(), false, `after ${name}`)
  }
})

t.test('a refresh with an equal value leaves dependencies current', async (t) => {
  const { cache, clock } = await start(t)
  await cache.fetch('k', () => ({ v: 1 }))
  const { dependencies } = await cache.track(() => cache.fetch('k', () => ({ v: 1 })))
  t.equal(dependencies.isCurrent(), true)
  clock.step(400)
  t.equal(dependencies.isCurrent(), false)
  await cache.fetch('k', () => ({ v: 1 }))
  await cache.get('k')
  t.equal(dependencies.isCurrent(), true)
})

t.test('nested track calls each record the reads inside them', async (t) => {
  const { cache } = await start(t)
  const outer = await cache.track(async () => {
    await cache.fetch('a', () => 1, { tags: ['a'] })
    return cache.track(() => cache.fetch('b', () => 2, { tags: ['b'] }))
  })
  t.strictSame([...outer.dependencies.tags].sort(), ['a', 'b'])
  t.strictSame(outer.value.dependencies.tags, ['b'])
})

t.test('track calls can begin and end in any order', async (t) => {
  const { cache } = await start(t)
  const tagsOf = async (tag: string, ready: Promise<unknown>) => {
    const { dependencies } = await cache.track(async () => {
      await ready
      await cache.fetch(tag, () => tag, { tags: [tag] })
    })
    return dependencies.tags
  }
  t.strictSame(await tagsOf('alone', Promise.resolve()), ['alone'])
  const first = tagsOf('first', nextTurn())
  const second = tagsOf('second', first)
  const third = tagsOf('third', second)
  t.strictSame(await Promise.all([first, second, third]), [['first'], ['second'], ['third']])
  t.strictSame(await tagsOf('again', nextTurn()), ['again'])
})

t.test('dependencies of a bypass are never current', async (t) => {
  const { cache } = await start(t)
  const { dependencies } = await cache.track(() => cache.fetch('k', () => 1, { bypass: true, tags: ['a'] }))
  t.strictSame(dependencies.tags, ['a'])
  t.equal(dependencies.freshForMs, 0)
  t.equal(dependencies.isCurrent(), false)
})

t.test('notModified renews the stored value', async (t) => {
  const { cache, clock } = await start(t)
  await cache.fetch('k', () => 'v')
  clock.step(400)
  t.equal(await cache.fetch<string>('k', (load) => String(load.notModified())), 'v')
  clock.step(299)
  t.equal(await cache.get('k'), 'v')
})

t.test('a notFound result is stored for 30 s and never served stale', async (t) => {
  const { cache, clock } = await start(t)
  await cache.fetch('k', (load) => load.notFound(null))
  clock.step(29)
  t.match(await cache.read('k', () => 'v'), { value: null, reason: 'hit' })
  clock.step(1)
  const failing = async () => {
    throw new Error('down')
  }
  await t.rejects(cache.fetch('k', failing), { message: 'down' })
})

t.test('dependencies of a missing value, or of two values of one key, are not current', async (t) => {
  const { cache } = await start(t)
  const { dependencies } = await cache.track(() => cache.get('banner'))
  t.equal(dependencies.freshForMs, 0)
  t.equal(dependencies.isCurrent(), false)
  const twice = await cache.track(async () => {
    await cache.fetch('k', () => 1)
    await cache.set('k', 2)
    return cache.get('k')
  })
  t.equal(twice.value, 2)
  t.equal(twice.dependencies.isCurrent(), false)
})

t.test('dependencies of a load are current, and a purge of another tag does not change that', async (t) => {
  const { cache } = await start(t)
  const { dependencies } = await cache.track(() => cache.fetch('k', () => ({ v: 1 }), { tags: ['x'] }))
  t.equal(dependencies.isCurrent(), true)
  await cache.purge({ tags: ['unrelated'] })
  t.equal(dependencies.isCurrent(), true)
  await cache.purge({ tags: ['x'] })
  t.equal(dependencies.isCurrent(), false)
})

t.test('a read after the tracked function has returned is not recorded', async (t) => {
  const { cache } = await start(t)
  await cache.set('k', 'before')
  const [changed, never] = [createDeferred<void>(), createDeferred<void>()]
  const readLater = async () => {
    await changed.promise
    return cache.get('k')
  }
  void cache.track(() => never.promise) // reads are still tracked
  const { value, dependencies } = await cache.track(async () => {
    await cache.get('k')
    return { background: readLater() }
  })
  await cache.set('k', 'after')
  changed.resolve()
  t.equal(await value.background, 'after')
  t.equal(dependencies.isCurrent(), false)
})

t.test('dependencies are not current if a read failed or is still in flight', async (t) => {
  const { cache } = await start(t)
  const down = () => Promise.reject(new Error('down'))
  for (const read of [
    () => cache.fetch('k', down, { tags: ['x'] }).catch(() => 'nothing'),
    () => cache.read('k', down, { tags: ['x'] }).catch(() => 'nothing'),
    () => cache.fetch('k', down, { bypass: true, tags: ['x'] }).catch(() => 'nothing'),
  ]) {
    const { dependencies } = await cache.track(read)
    t.match(dependencies, { freshForMs: 0, tags: ['x'] })
    t.equal(dependencies.isCurrent(), false)
  }
  const slow = createDeferred<number>()
  const { dependencies } = await cache.track(() => void cache.fetch('slow', () => slow.promise, { tags: ['x'] }))
  t.match(dependencies, { freshForMs: 0 })
  slow.resolve(1)
  t.equal(await cache.fetch('slow', () => 2), 1)
  t.equal(dependencies.isCurrent(), false, 'the result may have been used')
})

t.test('reads of a background refresh are not recorded', async (t) => {
  const { cache, clock } = await start(t)
  const inner = createDeferred<number>()
  const load = () => cache.fetch('inner', () => inner.promise)
  await cache.set('outer', 0)
  clock.step(299) // close to the end of freshness, so the read starts an early refresh
  const { dependencies } = await cache.track(() => cache.fetch('outer', load))
  t.equal(dependencies.isCurrent(), true)
  inner.resolve(1)
  await cache.fetch('inner', () => 2)
})

t.test('addDependencies records what another track call read', async (t) => {
  const { cache, clock } = await start(t)
  const changes: [string, () => unknown, verdict: string][] = [
    ['a set', () => cache.set('k', 'other'), 'none'],
    ['a soft purge of its tag', () => cache.purge({ tags: ['x'] }), 'soft'],
    ['a hard purge of its tag', () => cache.purge({ tags: ['x'], hard: true }), 'hard'],
    ['a delete', () => cache.delete('k'), 'none'],
    ['the end of freshness', () => clock.step(101), 'none'],
  ]
  for (const [name, change, verdict] of changes) {
    await cache.delete('k')
    const batch = await cache.track(() => cache.fetch('k', () => ({ v: 1 }), { tags: ['x'], ttlSeconds: 100 }))
    clock.step(10)
    const { dependencies } = await cache.track(async () => {
      await cache.fetch('own', () => 1, { tags: ['own'] })
      cache.addDependencies(batch.dependencies)
    })
    t.strictSame([...dependencies.tags].sort(), ['own', 'x'], name)
    t.equal(dependencies.freshForMs, 90_000, 'from the end of this track call')
    t.equal(dependencies.isCurrent(), true, `before ${name}`)
    await change()
    t.equal(dependencies.isCurrent(), false, `after ${name}`)
    t.equal(dependencies.purgeVerdict(), verdict, name)
    t.equal(dependencies.withTags(['more']).isCurrent(), false)
  }
})

t.test('dependencies of a batch that was purged before the track call started are not current', async (t) => {
  const { cache } = await start(t)
  const batch = await cache.track(() => cache.fetch('k', () => 1, { tags: ['x'] }))
  const external = (await cache.track(() => 1)).dependencies.withTags(['external'])
  await cache.purge({ tags: ['x', 'external'], hard: true })
  for (const added of [batch.dependencies, external]) {
    const { dependencies } = await cache.track(() => cache.addDependencies(added))
    t.equal(dependencies.isCurrent(), false)
    t.equal(dependencies.purgeVerdict(), 'hard')
  }
})

t.test('dependencies of a batch with a failed read are added as not current', async (t) => {
  const { cache } = await start(t)
  const failing = () => cache.fetch('k', () => Promise.reject(new Error('down')), { tags: ['x'] }).catch(() => 0)
  const batch = await cache.track(failing)
  const { dependencies } = await cache.track(() => cache.addDependencies(batch.dependencies))
  t.match(dependencies, { freshForMs: 0, tags: ['x'] })
  t.equal(dependencies.isCurrent(), false)
})

t.test('addDependencies applies to all track calls around it, and to none outside', async (t) => {
  const { cache } = await start(t)
  const batch = await cache.track(() => cache.fetch('k', () => 1, { tags: ['x'] }))
  cache.addDependencies(batch.dependencies)
  const outer = await cache.track(() => cache.track(() => cache.addDependencies(batch.dependencies)))
  t.strictSame([outer.dependencies.tags, outer.value.dependencies.tags], [['x'], ['x']])
  t.strictSame((await cache.track(() => 1)).dependencies.tags, [])
})

t.test('addDependencies refuses what track did not return', async (t) => {
  const { cache } = await start(t)
  for (const other of [undefined, null, {}, ['x'], { tags: ['x'], isCurrent: () => true }]) {
    // A caller in JavaScript.
    t.throws(() => cache.addDependencies(other as never), { code: 'VITRINE_CACHE_OPTION' })
  }
})

t.test('dependencies do not keep values in memory that have been replaced', async (t) => {
  const { cache } = await start(t)
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void // what the flag makes of it
  const load = async () => {
    const { value, dependencies } = await cache.track(() => cache.fetch('k', () => ({ list: ['a'] }), { tags: ['x'] }))
    return { reference: new WeakRef(value), dependencies }
  }
  const { reference, dependencies } = await load()
  t.equal(dependencies.isCurrent(), true)
  await cache.set('k', { list: ['b'] })
  await until(async () => {
    await nextTurn()
    collect()
    return reference.deref() === undefined
  })
  t.equal(dependencies.isCurrent(), false)
  t.strictSame(dependencies.tags, ['x'])
})

t.test('a long text and other primitives are compared, too', async (t) => {
  const { cache } = await start(t)
  for (const [value, other] of [
    ['a'.repeat(1_000), 'b'.repeat(1_000)],
    ['a', 'b'],
    [1, 2],
    [null, false],
  ]) {
    await cache.set('k', value)
    const { dependencies } = await cache.track(() => cache.get('k'))
    t.equal(dependencies.isCurrent(), true)
    await cache.set('k', other)
    t.equal(dependencies.isCurrent(), false)
    await cache.delete('k')
    t.equal(dependencies.isCurrent(), false)
  }
})
