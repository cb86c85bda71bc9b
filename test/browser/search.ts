import type { Browser, Page, Request } from 'playwright-core'
import type { Test } from 'tap'
import { openWindow, type Visit } from '../harness/browser.js'
import { createDeferred } from '../harness/deferred.js'
import { type Site, sees, startSite } from '../harness/site.js'

// Search as you type.

interface Search extends Visit, Site {
  /** URLs that searches requested. */
  readonly searches: string[]
}

/** A page with a manual clock, so that pauses between letters are exact. */
async function open(t: Test, browser: Browser, site: Site, path = '/'): Promise<Search> {
  const visit = await openWindow(browser, { viewport: { width: 1_280, height: 800 } })
  t.teardown(() => visit.context.close())
  const searches: string[] = []
  visit.page.on('request', (request) => {
    if (isSearch(request)) searches.push(request.url().slice(site.url.length))
  })
  await visit.context.clock.install()
  await visit.page.goto(`${site.url}${path}`)
  await visit.page.clock.pauseAt(Date.now() + 60_000)
  return { ...site, ...visit, searches }
}

function isSearch(request: Request): boolean {
  return request.headers()['hx-request'] === 'true' && /[?&](name|title|customer_display_id)=/.test(request.url())
}

/** Advances the clock by the delay of a search. */
function pause(page: Page): Promise<void> {
  return page.clock.runFor(300)
}

/** Lets htmx finish its work after a response; too short for a search. */
function settle(page: Page): Promise<void> {
  return page.clock.runFor(100)
}

/** The name of the focused field. */
function focusOf(page: Page): Promise<unknown> {
  return page.evaluate('document.activeElement.name')
}

/** `shared` is for read-only tests. */
export function testSearches(t: Test, browser: Browser, shared: Site): void {
  t.test('a search starts when typing pauses, not for each letter', async (t) => {
    const { page, searches, faults } = await open(t, browser, shared)
    await page.getByLabel('Name').pressSequentially('seller 001')
    t.strictSame(searches, [])
    await pause(page)
    await sees(page, '#sellers .count', '1–10 of 10 sellers found')
    t.strictSame(searches, ['/panels/sellers?name=seller%20001'])
    t.strictSame(faults, [])
  })

  t.test('the field keeps its text, focus and further input, and the result is announced', async (t) => {
    const { page, upstream, faults } = await open(t, browser, await startSite(t))
    const held = createDeferred<undefined>()
    upstream.fail(() => held.promise)
    await page.getByLabel('Name').pressSequentially('seller 001')
    await pause(page)
    await page.locator('#sellers[aria-busy="true"]').waitFor()
    await page.getByLabel('Name').pressSequentially('2')
    held.resolve(undefined)
    await sees(page, '#sellers .count', '10 sellers found')
    await settle(page)
    t.equal(await page.getByLabel('Name').inputValue(), 'seller 0012', 'not overwritten by the answer')
    t.equal(await focusOf(page), 'name')
    t.equal(await page.locator('#live-message').textContent(), '1–10 of 10 sellers found')
    t.equal(await page.locator('#sellers').getAttribute('aria-busy'), null)
    await pause(page)
    await sees(page, '#sellers .count', '1 seller found')
    await settle(page)
    t.equal(await page.locator('#live-message').textContent(), '1 seller found')
    t.equal(await focusOf(page), 'name')
    t.strictSame(faults, [])
  })

  t.test('a new search replaces the previous one, whose late response is ignored', async (t) => {
    const { page, upstream, searches, faults } = await open(t, browser, await startSite(t))
    const held = createDeferred<undefined>()
    upstream.fail(({ query }) => (query.name === 'seller 000' ? held.promise : undefined))
    const cancelled = page.waitForEvent('requestfailed')
    await page.getByLabel('Name').pressSequentially('seller 000')
    await pause(page)
    await page.getByLabel('Name').pressSequentially('7')
    await pause(page)
    t.match((await cancelled).url(), /name=seller%20000$/, 'the browser has cancelled it')
    await sees(page, '#sellers .count', '1 seller found')
    held.resolve(undefined)
    await upstream.requests.at(-2)?.answered
    await sees(page, '#sellers .row-name', 'Seller 0007')
    t.equal(await page.locator('#sellers a.row').count(), 1)
    t.strictSame(searches, ['/panels/sellers?name=seller%20000', '/panels/sellers?name=seller%200007'])
    t.strictSame(faults, [])
  })

  t.test('a search is one history entry, and back leads to the page before it', async (t) => {
    const { page, url, faults } = await open(t, browser, shared, '/?page=2')
    const before = await page.evaluate('history.length')
    for (const [letters, found] of [
      ['seller', '60 sellers found'],
      [' 001', '10 sellers found'],
      ['2', '1 seller found'],
    ] as const) {
      await page.getByLabel('Name').pressSequentially(letters)
      await pause(page)
      await sees(page, '#sellers .count', found)
    }
    t.equal(await page.evaluate('history.length'), Number(before) + 1)
    t.equal(page.url(), `${url}/panels/sellers?name=seller%200012`)
    await page.goBack()
    await sees(page, '#sellers .row-name', 'Seller 0021')
    t.equal(page.url(), `${url}/?page=2`)
    t.equal(await page.getByLabel('Name').inputValue(), '')
    await page.goForward()
    await sees(page, '#sellers .count', '1 seller found')
    t.equal(await page.getByLabel('Name').inputValue(), 'seller 0012')
    t.strictSame(faults, [])
  })

  t.test('the URL has the state of both panels, whichever response arrives first', async (t) => {
    const { page, url, upstream, faults } = await open(t, browser, await startSite(t))
    const search = createDeferred<undefined>()
    upstream.fail(({ query }) => (query.name === undefined ? undefined : search.promise))
    await page.getByLabel('Name').pressSequentially('seller 000')
    await pause(page)
    await page.locator('[data-seller="7"]').dispatchEvent('click') // before the skeleton rows cover them
    await sees(page, '#events-heading', 'Seller 0007')
    search.resolve(undefined)
    await sees(page, '#sellers .count', '9 sellers found')
    t.strictSame(Object.fromEntries(new URL(page.url()).searchParams), { name: 'seller 000', seller_id: '7' })

    const events = createDeferred<undefined>()
    upstream.fail(({ path }) => (path === '/catalogs' ? events.promise : undefined))
    await page.locator('[data-seller="8"]').click()
    await page.locator('#events[aria-busy="true"]').waitFor()
    await page.getByLabel('Name').fill('seller 0008')
    await pause(page)
    await sees(page, '#sellers .count', '1 seller found')
    events.resolve(undefined)
    await sees(page, '#events-heading', 'Seller 0008')
    t.equal(page.url(), `${url}/panels/sellers/8/events?list_name=seller+0008`)
    t.strictSame(faults, [])
  })

  t.test('Enter searches at once, with one request', async (t) => {
    const { page, searches, faults } = await open(t, browser, shared)
    await page.getByLabel('Customer id').pressSequentially('C-0007')
    await page.keyboard.press('Enter')
    await sees(page, '#sellers .count', '1 seller found')
    await pause(page)
    await pause(page)
    t.strictSame(searches, ['/panels/sellers?customer_display_id=C-0007'])
    t.strictSame(faults, [])
  })

  t.test('an empty field shows the complete list, and the URL has no filter', async (t) => {
    const { page, url, faults } = await open(t, browser, shared)
    await page.getByLabel('Name').pressSequentially('seller 0012')
    await pause(page)
    await sees(page, '#sellers .count', '1 seller found')
    await page.getByLabel('Name').fill('')
    await pause(page)
    await sees(page, '#sellers .count', '1–20 of 60 sellers')
    t.equal(page.url(), `${url}/panels/sellers`)
    t.strictSame(faults, [])
  })

  t.test('a search in the events leaves the list, and the URL has the state of both panels', async (t) => {
    const { page, url, faults } = await open(
      t,
      browser,
      shared,
      '/panels/sellers/7/events?list_page=2&list_page_size=5',
    )
    await page.getByLabel('Title').pressSequentially('sale 003')
    await pause(page)
    await sees(page, '#events .count', '1–10 of 10 upcoming events found')
    t.equal(page.url(), `${url}/panels/sellers/7/events?list_page=2&list_page_size=5&title=sale%20003`)
    t.equal(await page.locator('#sellers a.row').count(), 5)
    t.equal(await focusOf(page), 'title')
    t.strictSame(faults, [])
  })

  t.test('a failed search shows the error in place of the list, and the next letter retries', async (t) => {
    const { page, upstream, faults } = await open(t, browser, await startSite(t))
    upstream.fail({ status: 500 })
    await page.getByLabel('Name').pressSequentially('seller 001')
    await pause(page)
    await sees(page, '#sellers [role="alert"]', 'Error 502')
    t.equal(await page.getByLabel('Name').inputValue(), 'seller 001')
    upstream.heal()
    await page.getByLabel('Name').pressSequentially('2')
    await pause(page)
    await sees(page, '#sellers .count', '1 seller found')
    t.equal(await page.locator('[role="alert"]').count(), 0)
    t.strictSame(
      faults.filter((fault) => !/\b502\b/.test(fault)),
      [],
    )
  })
}
