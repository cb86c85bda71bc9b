import { mock } from 'node:test'
import t from 'tap'
import { Rejections } from '../../../src/http/rejection-log.js'
import { startApp } from '../../harness/app.js'

t.test('ten rejections of each status are logged, and the others are counted', async (t) => {
  const rejections = new Rejections()
  t.equal(rejections.takeUnlogged(), undefined)
  const logged = Array.from({ length: 25 }, () => rejections.record(429)).filter(Boolean)
  t.equal(logged.length, 10)
  t.ok(rejections.record(400), 'another status')
  t.strictSame(rejections.takeUnlogged(), { 429: 15 })
  t.equal(rejections.takeUnlogged(), undefined)
  t.ok(rejections.record(429), 'the next minute begins again')
})

t.test('a flood of rejected requests is a few lines, and a summary each minute and at the end', async (t) => {
  mock.timers.enable({ apis: ['setInterval'] })
  t.teardown(() => mock.timers.reset())
  const { app, book } = await startApp(t, {
    environment: { RATE_LIMIT_MAX: '20', PURGE_TOKEN: 'correct-horse-battery' },
  })
  const send = async (url: string, count: number, headers = {}) => {
    for (let n = 0; n < count; n += 1) await app.inject({ url, headers })
  }
  await send('/api/v1/sellers?page=x', 20)
  await send('/api/v1/sellers', 30)
  const rejected = (status: number) =>
    book.lines.filter((line) => line.msg === 'request rejected' && line.status === status)
  t.strictSame([rejected(400).length, rejected(429).length], [10, 10])
  t.match(rejected(429)[0], { address: '127.0.0.1' })
  const summaries = () =>
    book.lines.filter(({ msg }) => msg === 'more requests rejected').map(({ byStatus }) => byStatus)
  t.strictSame(summaries(), [])
  mock.timers.tick(60_000)
  t.strictSame(summaries(), [{ 400: 10, 429: 20 }])
  mock.timers.tick(60_000)
  t.equal(summaries().length, 1, 'a minute without rejections has none')
  await send('/api/v1/sellers', 12)
  await app.close()
  t.strictSame(summaries()[1], { 429: 2 })
})

t.test('wrong operator tokens are a few lines too', async (t) => {
  const { app, book } = await startApp(t, { environment: { PURGE_TOKEN: 'correct-horse-battery' } })
  for (let n = 0; n < 30; n += 1) {
    await app.inject({
      method: 'POST',
      url: '/ops/cache/session',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: 'token=wrong',
    })
  }
  t.equal(book.lines.filter(({ msg }) => /wrong token/.test(String(msg))).length, 10)
})
