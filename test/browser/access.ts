import type { Browser, BrowserContextOptions } from 'playwright-core'
import type { Test } from 'tap'
import { checkAccessibility, horizontalOverflow, openWindow, type Visit } from '../harness/browser.js'
import { createClock } from '../harness/clock.js'
import { createDeferred } from '../harness/deferred.js'
import { type Site, type SiteOptions, sees, startSite } from '../harness/site.js'
import { until } from '../harness/until.js'
import { makeSellers } from '../harness/upstream.js'

// Accessibility of the panels: screen readers, keyboard, screen sizes, languages.

const wide = { width: 1_280, height: 800 }
const narrow = { width: 390, height: 844 }

/** `shared` is for read-only tests. */
export function testAccess(t: Test, browser: Browser, shared: Site): void {
  async function look(t: Test, options: BrowserContextOptions = {}): Promise<Visit & { url: string }> {
    const visit = await openWindow(browser, { viewport: wide, ...options })
    t.teardown(() => visit.context.close())
    return { ...visit, url: shared.url }
  }
  /** A browser page with its own application. */
  async function open(t: Test, { site, ...options }: BrowserContextOptions & { site?: SiteOptions } = {}) {
    return { ...(await look(t, options)), ...(await startSite(t, site)) }
  }

  t.test('axe-core finds no violations in any page or state', async (t) => {
    const clock = createClock('2029-12-31T12:00:00Z')
    const { url, upstream, page, faults } = await open(t, { locale: 'fr-FR', site: { now: clock.now } })
    await page.clock.setFixedTime(clock.now())
    const check = (state: string) => checkAccessibility(t, page, state)
    const visits: [state: string, path: string][] = [
      ['the list', '/?page_size=5'],
      ['events', '/panels/sellers/7/events?page_size=5&list_page=2&list_page_size=5'],
      ['a search', '/?name=seller%20001&page_size=5'],
      ['nothing found', '/panels/sellers/7/events?title=zzz&list_page_size=5'],
      ['beyond the last page', '/?page=99'],
      ['an unknown seller', '/panels/sellers/unknown/events?list_page_size=5'],
      ['a mistake', '/?page=0'],
      ['nothing there', '/panels/nothing'],
    ]
    for (const [state, path] of visits) {
      await page.goto(`${url}${path}`)
      await check(state)
    }
    await page.goto(`${url}/?page_size=5&page=2`)
    const held = createDeferred<undefined>()
    upstream.fail(() => held.promise)
    await page.locator('[data-seller="9"]').click()
    await page.locator('#events.htmx-request').waitFor({ state: 'attached' })
    await check('loading')
    upstream.fail({ status: 500 })
    held.resolve(undefined)
    await page.locator('#events.is-open').waitFor()
    await page.goto(`${url}/?page_size=5&page=2`)
    await page.locator('[data-seller="8"]').click()
    await page.locator('#events [role="alert"]').waitFor()
    await check('a panel that failed')
    await page.goto(`${url}/?name=x`)
    await check('a page that failed')
    clock.step(3_600)
    await page.goto(`${url}/panels/sellers/7/events?page_size=5&list_page_size=5`)
    await page.locator('#events .notice').waitFor()
    await check('stale')
    t.strictSame(
      faults.filter((fault) => !/\b(400|404|502)\b/.test(fault)),
      [],
      'only the browser’s own messages about error statuses',
    )
  })

  t.test('the keyboard reaches everything: the skip link, a seller, its events, and back to the list', async (t) => {
    const { url, page, faults } = await look(t)
    const isAtEvents = "document.activeElement.id === 'events-heading'"
    const focused = () =>
      page.evaluate("(document.activeElement.innerText || document.activeElement.name || '').trim()")
    await page.goto(url)
    await page.keyboard.press('Tab')
    t.equal(await focused(), 'Skip to content')
    t.equal(await page.evaluate("document.querySelector('.skip').getBoundingClientRect().top >= 0"), true, 'it is seen')
    await page.keyboard.press('Enter')
    t.equal(await page.evaluate('document.activeElement.id'), 'main')
    const stops: unknown[] = []
    for (let count = 0; count < 5; count += 1) {
      await page.keyboard.press('Tab')
      stops.push(await focused())
      const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')
      t.equal(outline, 'solid', 'the focus is seen')
    }
    t.match(stops, ['name', 'customer_display_id', 'Search', /^Seller 0001/, /^Seller 0002/])
    await page.keyboard.press('Enter')
    await sees(page, '#events-heading', 'Seller 0002')
    t.ok(await until(async () => Boolean(await page.evaluate(isAtEvents))))
    t.equal(await page.locator('#live-message').textContent(), '1–20 of 45 upcoming events')
    await page.keyboard.press('Escape')
    t.match(await focused(), /^Seller 0002/, 'back in the list')
    await page.goBack()
    await sees(page, '#events .empty', 'Select a seller')
    t.match(await focused(), /^Seller 0002/, 'and so it is by way of the history')
    await page.keyboard.press('Enter')
    await sees(page, '#events-heading', 'Seller 0002')
    await page.locator('#sellers').getByRole('link', { name: 'Next' }).click()
    await sees(page, '#sellers .count', '21–40')
    await page.locator('#events-heading').focus()
    await page.keyboard.press('Escape')
    t.equal(
      await page.evaluate('document.activeElement.id'),
      'sellers-heading',
      'to the list when it does not contain the row',
    )
    await page.locator('#events').getByRole('link', { name: 'Next' }).focus()
    await page.keyboard.press('Enter')
    await sees(page, '#events .count', '21–40 of 45 upcoming events')
    t.ok(await until(async () => Boolean(await page.evaluate(isAtEvents))))
    t.strictSame(faults, [])
  })

  t.test('targets are large enough for touch', async (t) => {
    const { url, page } = await look(t)
    for (const path of ['/', '/panels/sellers/7/events?title=sale', '/?name=zzz', '/panels/nothing']) {
      await page.goto(`${url}${path}`)
      for (const viewport of [wide, narrow]) {
        await page.setViewportSize(viewport)
        // Without the skip link, which is visible on focus only.
        const targets = await page.evaluate(`[...document.querySelectorAll('a:not(.skip), button, input')]
          .map((target) => ({ name: target.innerText || target.name, box: target.getBoundingClientRect() }))
          .filter(({ box }) => box.width > 0)
          .map(({ name, box: { width, height } }) => ({ name, isLarge: width >= 24 && height >= 24 }))`)
        const { length } = targets as unknown[] // the result of the script
        const place = `${path}, ${viewport.width} px`
        t.ok(length >= 4, place)
        t.strictSame(
          (targets as { isLarge: boolean }[]).filter(({ isLarge }) => !isLarge),
          [],
          place,
        )
      }
    }
  })

  t.test('nothing overflows horizontally at 200 % and 400 % zoom', async (t) => {
    const { url, page } = await look(t)
    for (const path of ['/', '/panels/sellers/7/events', '/?page=0', '/?name=zzz']) {
      await page.goto(`${url}${path}`)
      for (const width of [640, 320]) {
        await page.setViewportSize({ width, height: 400 })
        t.equal(await horizontalOverflow(page), 0, `${path} at ${width} px`)
      }
    }
  })

  t.test('a narrow screen shows one panel at a time, with a back link', async (t) => {
    const { url, page, faults } = await look(t, { viewport: narrow })
    await page.goto(url)
    t.equal(await page.locator('#sellers').isVisible(), true)
    await page.locator('[data-seller="7"]').click()
    await sees(page, '#events-heading', 'Seller 0007')
    t.equal(await page.locator('#sellers').isVisible(), false)
    t.equal(await page.evaluate('scrollY'), 0, 'from its beginning')
    await page.goBack()
    await page.locator('#sellers').waitFor()
    t.strictSame(faults, [])
  })

  t.test('nothing is animated with prefers-reduced-motion', async (t) => {
    const { url, page } = await look(t, { reducedMotion: 'reduce' })
    await page.goto(url)
    const moving = `[...document.querySelectorAll('*')].filter((element) => {
      const { transitionProperty, animationName, scrollBehavior } = getComputedStyle(element)
      return transitionProperty !== 'all' || animationName !== 'none' || scrollBehavior === 'smooth'
    }).length`
    t.equal(await page.evaluate(moving), 0)
  })

  t.test('printed pages have the events and no controls', async (t) => {
    const { url, page } = await look(t)
    await page.goto(`${url}/panels/sellers/7/events`)
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    for (const part of ['nav', 'form', '#sellers', '.skip', '.back']) {
      t.equal(await page.locator(`${part}:visible`).count(), 0, part)
    }
    t.equal(await page.locator('#events .event').last().isVisible(), true)
    t.equal(await page.evaluate('getComputedStyle(document.body).backgroundColor'), 'rgb(255, 255, 255)')
    t.equal(await page.evaluate("getComputedStyle(document.querySelector('.row-name')).color"), 'rgb(0, 0, 0)')
  })

  t.test('skeleton rows are shown during slow requests only', async (t) => {
    const { url, upstream, page, faults } = await open(t)
    const shown = "getComputedStyle(document.querySelector('#events .results'), '::after').visibility === 'visible'"
    await page.goto(url)
    await page.evaluate(`document.addEventListener('htmx:afterSwap', () => {
      window.isShownAfterSwap = ${shown}
    })`)
    await page.locator('[data-seller="8"]').click()
    await sees(page, '#events-heading', 'Seller 0008')
    t.equal(await page.evaluate('window.isShownAfterSwap'), false, 'the new panel does not begin with them')
    const held = createDeferred<undefined>()
    upstream.fail(() => held.promise)
    await page.locator('[data-seller="7"]').click()
    await page.locator('#events[aria-busy="true"]').waitFor()
    await page.locator('.row.is-loading[data-seller="7"]').waitFor() // on a phone the panel is out of view
    t.equal(
      await page.evaluate("getComputedStyle(document.querySelector('#events .results'), '::after').transitionDelay"),
      '0.25s',
    )
    t.ok(await until(async () => Boolean(await page.evaluate(shown))))
    held.resolve(undefined)
    await sees(page, '#events-heading', 'Seller 0007')
    t.equal(await page.evaluate(shown), false)
    t.equal(await page.locator('.is-loading').count(), 0)
    t.strictSame(faults, [])
  })

  t.test('without a connection the panel stays and says so', async (t) => {
    const { url, context, page } = await look(t)
    await page.goto(url)
    await context.setOffline(true)
    await page.locator('[data-seller="7"]').click()
    await sees(page, '#events [role="alert"]', 'No connection. Please try again.')
    await page.locator('[data-seller="8"]').click()
    t.equal(await page.locator('[role="alert"]').count(), 1, 'once')
    await page.locator('#sellers').getByRole('link', { name: 'Next' }).click()
    await sees(page, '#sellers [role="alert"]', 'No connection.')
    await context.setOffline(false)
    await page.locator('[data-seller="7"]').click()
    await sees(page, '#events-heading', 'Seller 0007')
    t.equal(await page.locator('[role="alert"]').count(), 0, 'in neither panel')
  })

  t.test('a page that htmx cannot restore from history shows the error', async (t) => {
    const { url, upstream, page } = await open(t)
    await page.goto(url)
    await page.goto(`${url}/?name=seller%200007`)
    await page.locator('[data-seller="7"]').click()
    await sees(page, '#events-heading', 'Seller 0007')
    upstream.fail({ status: 500 })
    await page.goBack()
    await sees(page, '[role="alert"]', 'Error 502')
    upstream.heal()
    await page.getByRole('link', { name: 'Try again' }).click()
    await sees(page, '#sellers .count', '1 seller found')
  })

  t.test('a failed panel is retried in place', async (t) => {
    const { url, upstream, page } = await open(t)
    await page.goto(url)
    upstream.fail({ status: 500 })
    await page.locator('[data-seller="7"]').click()
    await sees(page, '#events [role="alert"]', 'Error 502')
    t.match(await page.locator('#live-message').textContent(), /The marketplace sent an invalid response/)
    upstream.heal()
    await page.evaluate('window.isSamePage = true')
    await page.locator('#events').getByRole('link', { name: 'Try again' }).click()
    await sees(page, '#events-heading', 'Seller 0007')
    await sees(page, 'a.row[aria-current="true"]', 'Seller 0007')
    t.match(new URL(page.url()).pathname, '/panels/sellers/7/events')
    t.equal(await page.evaluate('window.isSamePage'), true)
  })

  t.test('"starts tomorrow" disappears at midnight from an open page', async (t) => {
    const clock = createClock('2026-03-10T23:59:00Z')
    const catalogs = [{ id: 1, seller_id: 7, title: 'Sale', start_date: '2026-03-11' }]
    const site = { now: clock.now, data: { sellers: makeSellers(7), catalogs } }
    const { url, context, page } = await open(t, { site })
    await context.clock.install({ time: clock.now() })
    await page.goto(url)
    await page.locator('[data-seller="7"]').click()
    await sees(page, '.relative-day', 'starts tomorrow')
    await page.clock.runFor(30_000)
    t.equal(await page.locator('.relative-day').count(), 1)
    await page.clock.runFor(31_000)
    t.equal(await page.locator('.relative-day').count(), 0)
    t.equal(await page.locator('.number').textContent(), '11', 'the day itself stays')
  })

  t.test('interactions cause no layout shifts', async (t) => {
    const { url, page } = await look(t)
    await page.goto(url)
    await page.evaluate(`window.shifts = 0
      new PerformanceObserver((list) => {
        for (const { value } of list.getEntries()) window.shifts += value
      }).observe({ type: 'layout-shift', buffered: true })`)
    await page.locator('[data-seller="7"]').click()
    await sees(page, '#events-heading', 'Seller 0007')
    await page.locator('#events').getByRole('link', { name: 'Next' }).click()
    await sees(page, '#events .count', '21–40')
    t.equal(await page.evaluate('window.shifts'), 0)
  })

  t.test('a page with its assets is less than 60 kB on the wire, all from our own origin', async (t) => {
    const { url, page } = await look(t)
    const path = '/panels/sellers/7/events'
    await page.goto(`${url}${path}`)
    const loaded = "performance.getEntriesByType('resource').map(({ name }) => name)"
    const files = (await page.evaluate(loaded)) as string[] // resource names are URLs
    for (const address of [`${url}${path}`, ...files.filter((name) => /\.(js|css)\b/.test(name))]) {
      // The first response of a URL is sent before it is compressed.
      await until(async () => (await fetch(address)).headers.has('content-encoding'))
    }
    const { page: warm, context, faults } = await openWindow(browser, { viewport: wide })
    t.teardown(() => context.close())
    await warm.goto(`${url}${path}`)
    const bytes = await warm.evaluate(`['navigation', 'resource']
      .flatMap((type) => performance.getEntriesByType(type))
      .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)`)
    t.ok(files.length >= 4 && Number(bytes) > 10_000 && Number(bytes) < 60_000, `${bytes} bytes`)
    t.strictSame(faults, [], 'no request to another origin')
  })
}
