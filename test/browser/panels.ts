import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { Test } from 'tap'
import { checkAccessibility, horizontalOverflow, openWindow, type Visit } from '../harness/browser.js'
import { type Site, sees, startSite } from '../harness/site.js'
import { type CatalogRecord, makeCatalogs } from '../harness/upstream.js'

// The panels in a real browser, with and without JavaScript,
// on wide and narrow screens. No test may log to the console, violate the Content-Security-Policy or request another origin.

const wide = { javaScriptEnabled: true, width: 1_280 }
const narrow = { javaScriptEnabled: true, width: 390 }
const withoutJavaScript = { javaScriptEnabled: false, width: 1_280 }

/** `url` is for read-only tests. */
export function testPanels(t: Test, browser: Browser, { url }: Site): void {
  for (const screen of [wide, withoutJavaScript]) {
    t.test(`from the list to a seller's events and back: ${nameOf(screen)}`, async (t) => {
      const { context, page, faults } = await visit(t, browser, screen)
      await page.goto(url)
      await sees(page, '#sellers .row-name', 'Seller 0001')
      t.equal(await page.locator('#sellers a.row').count(), 20)
      await checkWhole(t, page)

      await page.locator('#sellers').getByRole('link', { name: 'Next' }).click()
      await sees(page, '#sellers .row-name', 'Seller 0021')
      t.match(page.url(), /page=2/)
      await checkWhole(t, page)

      await page.getByLabel('Name').fill('seller 001')
      await page.locator('#sellers').getByRole('button', { name: 'Search' }).click()
      await sees(page, '#sellers .row-name', 'Seller 0019')
      t.equal(await page.locator('#sellers a.row').count(), 10)
      t.equal(new URL(page.url()).searchParams.get('name'), 'seller 001')
      t.equal(await page.getByLabel('Name').inputValue(), 'seller 001')

      await page.getByRole('link', { name: 'Seller 0012' }).click()
      await sees(page, '#events-heading', 'Seller 0012')
      await sees(page, 'a.row[aria-current="true"]', 'Seller 0012')
      t.equal(await page.locator('a.row[aria-current="true"]').count(), 1, 'the chosen seller is marked, and no other')
      t.match(new URL(page.url()).pathname, '/panels/sellers/12/events')
      t.equal(await page.locator('#sellers a.row').count(), 10, 'the list stays as it was')
      t.equal(await page.title(), 'Seller 0012 · Vitrine')
      await checkWhole(t, page)

      await page.locator('#events').getByRole('link', { name: 'Next' }).click()
      await sees(page, '#events .row-name', 'Sale 0021')
      await sees(page, 'a.row[aria-current="true"]', 'Seller 0012')
      await checkWhole(t, page)
      await checkBookmark(t, context, page)

      await page.goBack()
      await sees(page, '#events .row-name', 'Sale 0001')
      await checkWhole(t, page)
      await page.goBack()
      await page.locator('#events .empty').waitFor()
      await sees(page, '#sellers .row-name', 'Seller 0019')
      await checkWhole(t, page)
      await page.goForward()
      await sees(page, '#events .row-name', 'Sale 0001')
      await sees(page, 'a.row[aria-current="true"]', 'Seller 0012')
      await page.goForward()
      await sees(page, '#events .row-name', 'Sale 0021')
      await checkWhole(t, page)
      const before = await textOf(page)
      await page.reload()
      t.equal(await textOf(page), before, 'the same after a reload')
      await checkWhole(t, page)

      await page.getByLabel('Title').fill('sale 0033')
      await page.locator('#events').getByRole('button', { name: 'Search' }).click()
      await page.locator('#events .reset').waitFor() // the previous page has that sale too
      await sees(page, '#events .row-name', 'Sale 0033')
      t.equal(await page.locator('#events .event').count(), 1)
      t.equal(await page.locator('#sellers a.row').count(), 10)
      await checkBookmark(t, context, page)
      await page.locator('#events').getByRole('link', { name: 'Show all' }).click()
      await sees(page, '#events .row-name', 'Sale 0001')
      t.strictSame(faults, [])
    })
  }

  t.test('a narrow screen fits everything and has a back link', async (t) => {
    const { context, page, faults } = await visit(t, browser, narrow)
    await page.goto(url)
    await checkWhole(t, page)
    await page.getByLabel('Name').fill('seller 001')
    await page.locator('#sellers').getByRole('button', { name: 'Search' }).click()
    await page.locator('#sellers .reset').waitFor()
    await checkWhole(t, page)
    await page.getByRole('link', { name: 'Seller 0012' }).click()
    await sees(page, '#events-heading', 'Seller 0012')
    await checkWhole(t, page)
    await page.locator('#events').getByRole('link', { name: 'Next' }).click()
    await sees(page, '#events .row-name', 'Sale 0021')
    await page.getByLabel('Title').fill('sale 0033')
    await page.locator('#events').getByRole('button', { name: 'Search' }).click()
    await page.locator('#events .reset').waitFor() // the previous page has that sale too
    await sees(page, '#events .row-name', 'Sale 0033')
    await checkWhole(t, page)
    await checkBookmark(t, context, page)
    const before = await textOf(page)
    await page.goBack()
    await sees(page, '#events .row-name', 'Sale 0021')
    await checkWhole(t, page)
    await page.goForward()
    await page.locator('#events .reset').waitFor()
    await page.reload()
    t.equal(await textOf(page), before, 'the same after a reload')
    await page.getByRole('link', { name: 'Back to the list' }).click()
    await page.locator('#events .empty').waitFor()
    t.equal(await page.locator('#sellers a.row').count(), 10, 'the way back leads to the list as it was')
    t.strictSame(faults, [])
  })

  t.test('a change in one panel leaves the other, and the URL has the state of both', async (t) => {
    const { context, page, faults } = await visit(t, browser, wide)
    await page.goto(url)
    const list = page.locator('#sellers')
    const events = page.locator('#events')
    await page.getByLabel('Name').fill('seller')
    await list.getByRole('button', { name: 'Search' }).click()
    await list.locator('.reset').waitFor()
    await page.getByRole('link', { name: 'Seller 0003' }).click()
    await sees(page, '#events-heading', 'Seller 0003')

    await list.getByRole('link', { name: 'Show all' }).click()
    await list.locator('.reset').waitFor({ state: 'detached' })
    await sees(page, 'a.row[aria-current="true"]', 'Seller 0003')
    await checkBookmark(t, context, page)
    await list.getByRole('link', { name: 'Next' }).click()
    await sees(page, '#sellers .row-name', 'Seller 0021')
    await sees(page, '#events-heading', 'Seller 0003')
    await checkBookmark(t, context, page)

    await page.getByLabel('Title').fill('sale')
    await events.getByRole('button', { name: 'Search' }).click()
    await events.locator('.reset').waitFor()
    await list.getByRole('link', { name: 'Next' }).click()
    await sees(page, '#sellers .row-name', 'Seller 0041')
    await events.getByRole('link', { name: 'Show all' }).click()
    await events.locator('.reset').waitFor({ state: 'detached' })
    await sees(page, '#sellers .row-name', 'Seller 0041')
    await checkBookmark(t, context, page)
    t.strictSame(faults, [])
  })

  t.test('going back from another page shows complete pages', async (t) => {
    const { page, faults } = await visit(t, browser, wide)
    await page.goto(url)
    await page.locator('#sellers').getByRole('link', { name: 'Next' }).click()
    await sees(page, '#sellers .row-name', 'Seller 0021')
    await page.getByRole('link', { name: 'Seller 0022' }).click()
    await sees(page, '#events-heading', 'Seller 0022')
    await page.goto('about:blank')
    await page.goBack()
    await sees(page, '#events-heading', 'Seller 0022')
    await checkWhole(t, page)
    await page.goBack()
    await page.locator('#events .empty').waitFor()
    await sees(page, '#sellers .row-name', 'Seller 0021')
    await checkWhole(t, page)
    t.strictSame(faults, [])
  })

  for (const screen of [wide, withoutJavaScript]) {
    t.test(`an upstream failure is shown in its place, and the next click works: ${nameOf(screen)}`, async (t) => {
      const { url, upstream } = await startSite(t)
      const { page, faults } = await visit(t, browser, screen)
      await page.goto(url)
      upstream.fail({ status: 500 })
      await page.getByRole('link', { name: 'Seller 0001' }).click()
      await sees(page, '[role="alert"]', '502')
      await checkStyled(t, page)
      upstream.heal()
      t.equal(await page.locator('#events [role="alert"]').count(), 1, 'in the place of the events')
      t.equal(await page.locator('#sellers a.row').count(), 20, 'the list is still there')
      await page.getByRole('link', { name: 'Seller 0002' }).click()
      await sees(page, '#events-heading', 'Seller 0002')
      t.equal(await page.locator('[role="alert"]').count(), 0)

      upstream.fail({ status: 500 })
      await page.getByLabel('Name').fill('0033')
      // With JavaScript the field searches as you type: a click would be a second request, after the recovery.
      if (!screen.javaScriptEnabled) await page.locator('#sellers').getByRole('button', { name: 'Search' }).click()
      await sees(page, '[role="alert"]', '502')
      if (screen.javaScriptEnabled) await sees(page, '#events-heading', 'Seller 0002')
      upstream.heal()
      await page.getByRole('link', { name: 'Try again' }).click()
      await sees(page, '#sellers .row-name', 'Seller 0033')
      await sees(page, '#events-heading', 'Seller 0002')
      await checkWhole(t, page)
      t.strictSame(
        faults.filter((fault) => !/\b502\b/.test(fault)),
        [],
        'only the browser’s own message about the 502',
      )
    })
  }

  t.test('the page of a seller shows the events when the list of sellers fails', async (t) => {
    const { url, upstream } = await startSite(t)
    const { page, faults } = await visit(t, browser, wide)
    upstream.fail(({ path }) => (path === '/sellers' ? { status: 500 } : undefined))
    await page.goto(`${url}/panels/sellers/5/events`)
    await sees(page, '#sellers [role="alert"]', '502')
    await sees(page, '#events .row-name', 'Sale 0001')
    await page.locator('#events').getByRole('link', { name: 'Next' }).click()
    await sees(page, '#events .row-name', 'Sale 0021')
    t.strictSame(faults, [])
  })

  t.test('names from the upstream are rendered as text', async (t) => {
    const sellers = hostile.map((name, index) => ({ id: index + 1, name, customer_display_id: name }))
    const catalogs = sellers.flatMap(({ id, name }) => makeCatalogs({ sellerId: id, count: 1 }).map(named(name)))
    const { url } = await startSite(t, { data: { sellers, catalogs } })
    const { page, faults } = await visit(t, browser, wide)
    await page.goto(url)
    t.strictSame(await page.locator('#sellers .row-name').allTextContents(), hostile)
    for (const [index, name] of hostile.entries()) {
      await page.locator('#sellers a.row').nth(index).click()
      await page.locator(`#events-state [value="${index + 1}"]`).waitFor({ state: 'attached' })
      t.equal(await page.locator('#events-heading').textContent(), name)
      t.strictSame(await page.locator('#events .row-name').allTextContents(), [name])
      t.equal(await page.title(), `${name} · Vitrine`.replace(/\s+/g, ' '))
    }
    for (const name of hostile.slice(0, 2)) {
      await page.getByLabel('Name').fill(name)
      await page.locator('#sellers').getByRole('button', { name: 'Search' }).click()
      await page.locator('#sellers .reset').waitFor()
      t.equal(await page.getByLabel('Name').inputValue(), name)
    }
    await page.goto(`${url}/panels/${encodeURIComponent(hostile[0] ?? '')}`)
    await page.locator('[role="alert"]').waitFor()
    t.equal(await page.evaluate('window.pwned'), undefined)
    t.strictSame(
      faults.filter((fault) => !/\b404\b/.test(fault)),
      [],
    )
  })

  t.test('the API page has the same policy and no accessibility violations', async (t) => {
    const { page, faults } = await visit(t, browser, narrow)
    await page.goto(`${url}/docs`)
    await sees(page, '.opblock-summary-path', '/api/v1/sellers')
    await page.locator('.opblock-summary').first().click()
    await page.locator('.opblock-body').first().waitFor()
    t.equal(await horizontalOverflow(page), 0, 'no horizontal scroll bar')
    t.equal(await page.getByRole('link', { name: 'Vitrine' }).getAttribute('href'), '/', 'and a way back')
    await page.locator('.examples-select-element[aria-label]').first().waitFor()
    await checkAccessibility(t, page, 'the page of the API')
    t.strictSame(faults, [])

    const phone = await openWindow(browser, { viewport: { width: 390, height: 844 }, isMobile: true })
    t.teardown(() => phone.context.close())
    await phone.page.goto(`${url}/docs`)
    t.equal(await phone.page.evaluate('window.innerWidth'), 390, 'a phone shows it in its own width')
  })
}

/** Each would set `window.pwned`, or request another origin, if it were not text. */
const hostile = [
  '<script>window.pwned=1</script>"><img src=x onerror="window.pwned=2">',
  "' onmouseover='window.pwned=3' x='</title></textarea></style><svg/onload=window.pwned=4>",
  '<a href="javascript:window.pwned=5" hx-get="https://elsewhere.invalid/" hx-trigger="load">x</a>',
  '<p hx-on::load="window.pwned=6"><img src="https://elsewhere.invalid/pixel.png"><%= 7*7 %>{{7*7}}&lt;b&gt;&amp;',
]

function named(name: string) {
  return (catalog: CatalogRecord): CatalogRecord => ({ ...catalog, title: name, customer_catalog_id: name })
}

interface Screen {
  readonly javaScriptEnabled: boolean
  readonly width: number
}

function nameOf({ javaScriptEnabled, width }: Screen): string {
  return `${javaScriptEnabled ? 'with' : 'without'} JavaScript, ${width} px`
}

async function visit(t: Test, browser: Browser, { javaScriptEnabled, width }: Screen): Promise<Visit> {
  const visit = await openWindow(browser, { javaScriptEnabled, viewport: { width, height: 800 } })
  t.teardown(() => visit.context.close())
  return visit
}

function textOf(page: Page): Promise<string> {
  // Not textContent, which includes the white space of the templates.
  return page.locator('#main').innerText()
}

/** A complete page: head, styles and both panels, each once, and no wider than the window. */
async function checkWhole(t: Test, page: Page): Promise<void> {
  const parts = ['.masthead', '#main', '#sellers', '#events', 'h1']
  const counts = await Promise.all(parts.map((part) => page.locator(part).count()))
  t.strictSame(counts, [1, 1, 1, 1, 1], `a complete page: ${parts.join(', ')}`)
  await checkStyled(t, page)
}

async function checkStyled(t: Test, page: Page): Promise<void> {
  t.equal(await page.evaluate("getComputedStyle(document.querySelector('.brand')).fontWeight"), '700', 'with its style')
  t.equal(await horizontalOverflow(page), 0, 'without a horizontal scroll bar')
}

/** A new page at the same URL shows the same. */
async function checkBookmark(t: Test, context: BrowserContext, page: Page): Promise<void> {
  const other = await context.newPage()
  await other.goto(page.url())
  t.equal(await textOf(other), await textOf(page), 'its address, opened in a new page, shows the same')
  t.equal(await other.title(), await page.title())
  await other.close()
}
