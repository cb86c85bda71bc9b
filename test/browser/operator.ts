import type { Browser, Page } from 'playwright-core'
import type { Test } from 'tap'
import { startApp } from '../harness/app.js'
import { checkAccessibility, horizontalOverflow, openWindow } from '../harness/browser.js'
import { startRedis } from '../harness/redis-server.js'
import { sees } from '../harness/site.js'
import { until } from '../harness/until.js'
import { makeSellers } from '../harness/upstream.js'

// The operator page in a browser, with and without JavaScript.

const token = 'open-sesame'

async function startSite(t: Test, redisUrl?: string) {
  const environment = { PURGE_TOKEN: token, ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }) }
  const { app, upstream } = await startApp(t, { environment, upstream: { sellers: makeSellers(60) } })
  return { app, upstream, url: await app.listen({ port: 0, host: '127.0.0.1' }) }
}

async function signIn(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/ops/cache`)
  await page.getByLabel('Operator token').fill(token)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.locator('#live').waitFor()
}

export function testOperatorPage(t: Test, browser: Browser): void {
  for (const { javaScriptEnabled, width } of [
    { javaScriptEnabled: true, width: 1_280 },
    { javaScriptEnabled: false, width: 390 },
  ]) {
    const screen = `${javaScriptEnabled ? 'with' : 'without'} JavaScript, ${width} px`
    t.test(`sign in, inspect a key, purge it after confirmation, sign out: ${screen}`, async (t) => {
      const { app, url } = await startSite(t)
      await app.inject('/api/v1/sellers')
      const { context, page, faults } = await openWindow(browser, {
        javaScriptEnabled,
        viewport: { width, height: 800 },
      })
      t.teardown(() => context.close())
      await page.goto(`${url}/ops/cache`)
      await page.getByLabel('Operator token').fill('wrong')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await sees(page, '[role="alert"]', 'Invalid token.')
      await signIn(page, url)
      t.equal(page.url(), `${url}/ops/cache`)
      t.equal(await horizontalOverflow(page), 0)

      await page.getByLabel('Key', { exact: true }).first().fill('sellers_all')
      await page.getByRole('button', { name: 'Inspect' }).click()
      await sees(page, '.explanation', 'Fresh: reads are served at once.')
      const { y = -1 } = (await page.locator('.explanation').boundingBox()) ?? {}
      t.ok(y >= 0 && y < 800, 'the explanation is in view')
      t.equal(await page.evaluate('document.activeElement.id'), 'explanation', 'and has the focus')
      t.equal(await page.getByRole('button', { name: 'Pause' }).isVisible(), javaScriptEnabled)
      t.equal(await horizontalOverflow(page), 0)

      await page.getByLabel('Name').fill('sellers')
      await page.getByRole('button', { name: 'Purge …' }).click()
      await sees(page, 'h1', 'Confirm the purge')
      t.equal(await horizontalOverflow(page), 0)
      await page.getByRole('link', { name: 'Cancel' }).click()
      await page.locator('#live').waitFor()
      t.equal((await app.cache.explain('sellers_all')).state, 'fresh', 'left as it was')
      await page.getByLabel('Name').fill('sellers')
      await page.getByLabel('Also remove').check()
      await page.getByRole('button', { name: 'Purge …' }).click()
      await page.getByRole('button', { name: 'Purge' }).click()
      await sees(page, '.notice', 'Tag sellers was purged in this process')
      await sees(page, '.change', 'Purged (hard): sellers')
      t.equal((await app.cache.explain('sellers_all')).state, 'expired')

      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.getByLabel('Operator token').waitFor()
      t.equal(await page.locator('#live').count(), 0)
      t.strictSame(
        faults.filter((fault) => !/\b401\b/.test(fault)),
        [],
        'only the browser’s own message about the 401',
      )
    })
  }

  t.test('statistics update live, can be paused, and resume after a disconnection', async (t) => {
    const { app, url } = await startSite(t)
    const { context, page, faults } = await openWindow(browser, { viewport: { width: 1_280, height: 800 } })
    t.teardown(() => context.close())
    await signIn(page, url)
    await sees(page, '#live-state', 'Live')
    await app.inject('/api/v1/sellers')
    app.liveStats.tick()
    await sees(page, '#key-groups-heading ~ table', 'sellers_all')

    await page.getByRole('button', { name: 'Pause' }).click()
    await app.cache.purge({ tags: ['paused'] })
    app.liveStats.tick()
    await page.getByRole('button', { name: 'Pause', pressed: true }).waitFor()
    t.equal(await page.locator('.change').count(), 0, 'no updates while paused')
    await page.getByRole('button', { name: 'Pause' }).click()
    await sees(page, '.change', 'Purged: paused')

    await page.locator('.changes').focus()
    app.liveStats.tick()
    await app.cache.purge({ tags: ['focus'] })
    app.liveStats.tick()
    await sees(page, '.change', 'Purged: focus')
    t.equal(await page.evaluate('document.activeElement.className'), 'changes', 'the focus stays in the list')
    t.strictSame(faults, [])
  })

  t.test('a lost connection is shown', async (t) => {
    const { app, url } = await startSite(t)
    const { context, page } = await openWindow(browser, { viewport: { width: 1_280, height: 800 } })
    t.teardown(() => context.close())
    await signIn(page, url)
    await sees(page, '#live-state', 'Live')
    await app.close()
    await sees(page, '#live-state', 'Disconnected')
  })

  t.test('axe-core finds no violations with Redis up or down', async (t) => {
    const redis = await startRedis()
    t.teardown(() => redis.stop())
    const { app, upstream, url } = await startSite(t, redis.url)
    const { context, page, faults } = await openWindow(browser, {})
    t.teardown(() => context.close())
    const check = (state: string) => checkAccessibility(t, page, state)
    await page.goto(`${url}/ops/cache`)
    await check('signing in')
    await signIn(page, url)
    for (let count = 0; count < 30; count += 1) {
      await app.inject(`/api/v1/sellers?page=${count % 3}`)
      app.liveStats.tick()
    }
    await page.goto(`${url}/ops/cache?key=sellers_all`)
    await check('well')
    await page.goto(`${url}/ops/cache/purge?kind=tag&name=sellers`)
    await check('a confirmation')
    await redis.kill()
    upstream.fail({ status: 500 })
    await app.inject('/api/v1/sellers?name=x')
    t.ok(await until(() => app.cache.stats().coherence === 'disconnected'))
    await page.goto(`${url}/ops/cache?key=sellers_all`)
    await sees(page, '.is-failing', 'The circuit breaker is open')
    await sees(page, '.change', 'The marketplace fails')
    await check('Redis and the marketplace down')
    t.strictSame(faults, [])
  })
}
