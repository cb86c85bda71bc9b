import type { Browser, Page, Request } from 'playwright-core'
import type { Test } from 'tap'
import { openWindow, type Visit } from '../harness/browser.js'
import { createDeferred } from '../harness/deferred.js'
import { type Site, sees, startSite } from '../harness/site.js'

// Searching while one types.

interface Search extends Visit, Site {
  /** Addresses that searches have asked for. */
  readonly asked: string[]
}

/** A window on the site whose clock stands still until it is stepped, so that pauses between letters are as long as they are. */
async function open(t: Test, browser: Browser, site: Site, path = '/'): Promise<Search> {
  const visit = await openWindow(browser, { viewport: { width: 1_280, height: 800 } })
  t.teardown(() => visit.context.close())
  const asked: string[] = []
  visit.page.on('request', (request) => {
    if (isSearch(request)) asked.push(request.url().slice(site.url.length))
  })
  await visit.context.clock.install()
  await visit.page.goto(`${site.url}${path}`)
  await visit.page.clock.pauseAt(Date.now() + 60_000)
  return { ...site, ...visit, asked }
}

function isSearch(request: Request): boolean {
  return request.headers()['hx-request'] === 'true' && /[?&](name|title|customer_display_id)=/.test(request.url())
}

/** Lets as much time go by as a search waits for the next letter. */
function pause(page: Page): Promise<void> {
  return page.clock.runFor(300)
}

/** Lets htmx finish what it does a moment after an answer; far too short for a search. */
function settle(page: Page): Promise<void> {
  return page.clock.runFor(100)
}

/** Where the focus is: the name of the field. */
function focusOf(page: Page): Promise<unknown> {
  return page.evaluate('document.activeElement.name')
}

/** `shared` is for tests that change nothing. */
export function testSearches(t: Test, browser: Browser, shared: Site): void {
  t.test('a search goes out once the typing pauses, and not letter by letter', async (t) => {
    const { page, asked, faults } = await open(t, browser, shared)
    await page.getByLabel('Name').pressSequentially('seller 001')
    t.strictSame(asked, [])
    await pause(page)
    await sees(page, '#sellers .count', '1–10 of 10 sellers found')
    t.strictSame(asked, ['/panels/sellers?name=seller%20001'])
    t.strictSame(faults, [])
  })

  t.test('the field keeps its text, the focus and what is typed meanwhile; the outcome is said', async (t) => {
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

  t.test('a search gives way to the next one, and its answer changes nothing when it comes after all', async (t) => {
    const { page, upstream, asked, faults } = await open(t, browser, await startSite(t))
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
    t.strictSame(asked, ['/panels/sellers?name=seller%20000', '/panels/sellers?name=seller%200007'])
    t.strictSame(faults, [])
  })

  t.test('a search is one step of the history however many answers it had, and back leads to before it', async (t) => {
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

  t.test('the address tells of both panels as they are, whichever answer comes first', async (t) => {
    const { page, url, upstream, faults } = await open(t, browser, await startSite(t))
    const search = createDeferred<undefined>()
    upstream.fail(({ query }) => (query.name === undefined ? undefined : search.promise))
    await page.getByLabel('Name').pressSequentially('seller 000')
    await pause(page)
    await page.locator('[data-seller="7"]').dispatchEvent('click') // at once, before the rows are covered
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

  t.test('Enter searches at once, and once', async (t) => {
    const { page, asked, faults } = await open(t, browser, shared)
    await page.getByLabel('Customer id').pressSequentially('C-0007')
    await page.keyboard.press('Enter')
    await sees(page, '#sellers .count', '1 seller found')
    await pause(page)
    await pause(page)
    t.strictSame(asked, ['/panels/sellers?customer_display_id=C-0007'])
    t.strictSame(faults, [])
  })

  t.test('an empty field is no search: all are shown, and the address says nothing of it', async (t) => {
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

  t.test('a search among the events leaves the list beside it, and the address tells of both', async (t) => {
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

  t.test('a search that fails says so in the place of the list, and the next letter tries again', async (t) => {
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
