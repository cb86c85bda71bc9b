import t from 'tap'
import { CacheClock } from '../../../plugins/cache/clock.js'
import { createClock } from '../../harness/clock.js'

t.test('no two stamps are the same, and each is later than the one before, while time stands still', async (t) => {
  const clock = new CacheClock(createClock().now, { isCorrected: true })
  const stamps = [clock.loadStamp(), clock.loadStamp(), clock.purgeStamp(), clock.loadStamp(), clock.purgeStamp()]
  t.strictSame(
    [...new Set(stamps)].sort((a, b) => a - b),
    stamps,
  )
})

t.test('a purge is later than a load that began in the same millisecond in another process', async (t) => {
  const { now } = createClock()
  const [here, there] = [new CacheClock(now, { isCorrected: true }), new CacheClock(now, { isCorrected: true })]
  const load = there.loadStamp()
  t.ok(here.purgeStamp() > load)
})

t.test('a load that began after a purge was heard of is later than it, however the clocks differ', async (t) => {
  const clock = createClock()
  const [ahead, behind] = [
    new CacheClock(() => clock.now() + 50_000, { isCorrected: true }),
    new CacheClock(clock.now, { isCorrected: true }),
  ]
  const purge = ahead.purgeStamp()
  behind.observe(purge)
  t.ok(behind.loadStamp() > purge)
})

t.test('the instant of a stamp is in our own time, and never in the future', async (t) => {
  const time = createClock()
  const clock = new CacheClock(time.now, { isCorrected: true })
  t.equal(clock.instantOf(clock.loadStamp()), time.now())
  t.equal(clock.instantOf((time.now() + 5_000) * 1_000), time.now())
})

t.test('the offset of the server is learned, and tells by how much earlier stamps are wrong', async (t) => {
  const time = createClock()
  const clock = new CacheClock(time.now, { isCorrected: true })
  const before = clock.loadStamp()
  const askedAt = time.now()
  const moved = clock.learn({ serverMs: askedAt + 3_002, askedAt, answeredAt: askedAt + 4 })
  t.equal(moved, 3_000_000)
  t.equal(clock.offsetMs, 3_000)
  t.ok(clock.loadStamp() >= before + moved)
  t.equal(clock.instantOf(clock.loadStamp()), time.now())
})

t.test('a difference that the network explains moves nothing', async (t) => {
  const time = createClock()
  const clock = new CacheClock(time.now, { isCorrected: true })
  const askedAt = time.now()
  t.equal(clock.learn({ serverMs: askedAt + 20, askedAt, answeredAt: askedAt + 20 }), 0)
  t.equal(clock.offsetMs, 0)
  t.equal(clock.learn({ serverMs: askedAt + 21, askedAt, answeredAt: askedAt }), 21_000)
})

t.test('the uncertainty of the offset puts purges later, not loads', async (t) => {
  const time = createClock()
  const clock = new CacheClock(time.now, { isCorrected: true })
  const askedAt = time.now()
  clock.learn({ serverMs: askedAt + 1_050, askedAt, answeredAt: askedAt + 100 })
  t.equal(Math.floor(clock.loadStamp() / 1_000), askedAt + 1_000)
  t.equal(clock.purgeStamp(), (askedAt + 1_060) * 1_000 + 999, 'half the way there and back, and what is tolerated')
})

t.test('a stamp from far ahead is not believed', async (t) => {
  const time = createClock()
  const clock = new CacheClock(time.now, { isCorrected: true })
  for (const stamp of [Number.MAX_SAFE_INTEGER, (time.now() + 61_000) * 1_000]) {
    clock.observe(stamp)
    t.ok(stamp > clock.latest)
    t.ok(clock.loadStamp() < stamp)
  }
  clock.observe((time.now() + 59_000) * 1_000)
  t.ok(clock.loadStamp() > (time.now() + 59_000) * 1_000)
})

t.test("a test's own clock is taken at its word", async (t) => {
  const time = createClock()
  const clock = new CacheClock(time.now, { isCorrected: false })
  t.equal(clock.learn({ serverMs: 1, askedAt: time.now(), answeredAt: time.now() }), 0)
  t.equal(clock.offsetMs, 0)
})
