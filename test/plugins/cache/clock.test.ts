import t from 'tap'
import { CacheClock } from '../../../plugins/cache/clock.js'
import { createClock } from '../../harness/clock.js'

t.test('stamps are unique and increase even while time stands still', async (t) => {
  const clock = new CacheClock(createClock().now, { isCorrected: true })
  const stamps = [clock.loadStamp(), clock.loadStamp(), clock.purgeStamp(), clock.loadStamp(), clock.purgeStamp()]
  t.strictSame(
    [...new Set(stamps)].sort((a, b) => a - b),
    stamps,
  )
})

t.test('the stamp of a purge is later than that of a load in the same millisecond in another process', async (t) => {
  const { now } = createClock()
  const [local, remote] = [new CacheClock(now, { isCorrected: true }), new CacheClock(now, { isCorrected: true })]
  const load = remote.loadStamp()
  t.ok(local.purgeStamp() > load)
})

t.test('a load that begins after an observed purge has a later stamp, even with different clocks', async (t) => {
  const clock = createClock()
  const [fast, slow] = [
    new CacheClock(() => clock.now() + 50_000, { isCorrected: true }),
    new CacheClock(clock.now, { isCorrected: true }),
  ]
  const purge = fast.purgeStamp()
  slow.observe(purge)
  t.ok(slow.loadStamp() > purge)
})

t.test('the time of a stamp is local time and never in the future', async (t) => {
  const time = createClock()
  const clock = new CacheClock(time.now, { isCorrected: true })
  t.equal(clock.toLocalMs(clock.loadStamp()), time.now())
  t.equal(clock.toLocalMs((time.now() + 5_000) * 1_000), time.now())
})

t.test('learning the server offset returns the correction for earlier stamps', async (t) => {
  const time = createClock()
  const clock = new CacheClock(time.now, { isCorrected: true })
  const before = clock.loadStamp()
  const askedAt = time.now()
  const correction = clock.sync({ serverMs: askedAt + 3_002, askedAt, answeredAt: askedAt + 4 })
  t.equal(correction, 3_000_000)
  t.equal(clock.offsetMs, 3_000)
  t.ok(clock.loadStamp() >= before + correction)
  t.equal(clock.toLocalMs(clock.loadStamp()), time.now())
})

t.test('a difference within the round-trip time causes no correction', async (t) => {
  const time = createClock()
  const clock = new CacheClock(time.now, { isCorrected: true })
  const askedAt = time.now()
  t.equal(clock.sync({ serverMs: askedAt + 20, askedAt, answeredAt: askedAt + 20 }), 0)
  t.equal(clock.offsetMs, 0)
  t.equal(clock.sync({ serverMs: askedAt + 21, askedAt, answeredAt: askedAt }), 21_000)
})

t.test('the uncertainty of the offset delays purge stamps but not load stamps', async (t) => {
  const time = createClock()
  const clock = new CacheClock(time.now, { isCorrected: true })
  const askedAt = time.now()
  clock.sync({ serverMs: askedAt + 1_050, askedAt, answeredAt: askedAt + 100 })
  t.equal(Math.floor(clock.loadStamp() / 1_000), askedAt + 1_000)
  t.equal(clock.purgeStamp(), (askedAt + 1_060) * 1_000 + 999, 'half the round trip plus the tolerance')
})

t.test('a stamp more than a minute in the future is not trusted', async (t) => {
  const time = createClock()
  const clock = new CacheClock(time.now, { isCorrected: true })
  for (const stamp of [Number.MAX_SAFE_INTEGER, (time.now() + 61_000) * 1_000]) {
    clock.observe(stamp)
    t.ok(stamp > clock.maxTrustedStamp)
    t.ok(clock.loadStamp() < stamp)
  }
  clock.observe((time.now() + 59_000) * 1_000)
  t.ok(clock.loadStamp() > (time.now() + 59_000) * 1_000)
})

t.test('a clock without correction ignores the server time', async (t) => {
  const time = createClock()
  const clock = new CacheClock(time.now, { isCorrected: false })
  t.equal(clock.sync({ serverMs: 1, askedAt: time.now(), answeredAt: time.now() }), 0)
  t.equal(clock.offsetMs, 0)
})
