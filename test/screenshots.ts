import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Page } from 'playwright-core'
import { buildApp } from '../src/app.js'
import { readConfig } from '../src/config/environment.js'
import { catalogsOf, createHouses } from '../src/demo/data.js'
import { findAccessibilityViolations, horizontalOverflow, launchBrowser, openWindow } from './harness/browser.js'
import { createClock } from './harness/clock.js'
import { startUpstream } from './harness/upstream.js'

// Takes screenshots of all states of the panels, on a fixed date. `npm run screenshots` writes those that
// documents use to docs/screens and the others to screenshots/, which git ignores; `npm run screenshots -- --all --to folder`
// takes both widths in both colour schemes. Reports axe-core violations and pages wider than their window.

const { values } = parseArgs({
  options: { all: { type: 'boolean', default: false }, to: { type: 'string' }, only: { type: 'string' } },
})
const folder = values.to ?? fileURLToPath(new URL('../screenshots/', import.meta.url))
/** Screenshots that documents use. */
const documented = new Set(['events-1280.png', 'events-390.png', 'stale-1280.png', 'operator-1280.png'])
const documentedFolder = values.to ?? fileURLToPath(new URL('../docs/screens/', import.meta.url))

const wide = { width: 1_280, height: 860 }
const narrow = { width: 390, height: 844 }
const looks = values.all
  ? [wide, narrow].flatMap((viewport) => (['light', 'dark'] as const).map((colorScheme) => ({ viewport, colorScheme })))
  : [
      { viewport: wide, colorScheme: 'light' as const },
      { viewport: narrow, colorScheme: 'dark' as const },
    ]

const today = Date.parse('2026-11-24T13:02:00Z')
const clock = createClock(today)
const houses = createHouses(1_240)
const upstream = await startUpstream({
  sellers: houses.map(({ seller }) => ({ ...seller })),
  catalogs: houses.slice(0, 40).flatMap((house) => catalogsOf(house, today).map((catalog) => ({ ...catalog }))),
})
const config = readConfig({
  UPSTREAM_URL: upstream.url,
  RATE_LIMIT_MAX: '0',
  CATALOG_TIME_ZONE: 'Europe/Paris',
  PURGE_TOKEN: 'screenshots',
})
const app = await buildApp({ config, upstreamUrl: upstream.url, now: clock.now })
const url = await app.listen({ port: 0, host: '127.0.0.1' })
const [first, second, third] = houses.map(({ seller }) => seller)
if (first === undefined || second === undefined || third === undefined) throw new Error('the demo has no sellers')

interface State {
  readonly name: string
  readonly path: string
  readonly locale?: string
  /** Steps after the page has loaded. */
  readonly act?: (page: Page) => Promise<void>
}

const states: State[] = [
  { name: 'sellers', path: '/' },
  { name: 'events', path: `/panels/sellers/${first.id}/events` },
  { name: 'french', path: `/panels/sellers/${second.id}/events`, locale: 'fr-FR' },
  { name: 'search', path: '/?name=maison' },
  { name: 'nothing-found', path: '/?name=zzz' },
  { name: 'no-such-page', path: `/panels/sellers/${first.id}/events?page=99` },
  { name: 'no-such-seller', path: '/panels/sellers/unknown/events' },
  {
    name: 'loading',
    path: '/',
    async act(page) {
      upstream.fail({ delayMs: 1_500 })
      await page.locator(`[data-seller="${third.id}"]`).click()
      await page.locator('#events.htmx-request').waitFor()
      await page.waitForFunction("getComputedStyle(document.querySelector('#events'), null).cursor === 'progress'")
      await page.waitForTimeout(500) // until the skeleton rows are visible
    },
  },
  {
    name: 'stale',
    path: '/',
    async act(page) {
      upstream.fail({ status: 500 })
      clock.step(3_600)
      await page.goto(`${url}/panels/sellers/${first.id}/events`)
      await page.reload() // by now the refresh has failed
    },
  },
  {
    name: 'failed-panel',
    path: '/',
    async act(page) {
      upstream.fail({ status: 500 })
      await page.locator('#sellers').getByRole('searchbox').first().fill('maison')
      await page.locator('#sellers .problem').waitFor()
    },
  },
  {
    name: 'failed-events',
    path: '/',
    async act(page) {
      const events = await page.locator('[data-seller]').nth(3).getAttribute('href')
      upstream.fail({ status: 500 })
      await page.goto(new URL(events ?? '', page.url()).href)
      await page.locator('#events .problem').waitFor()
    },
  },
  { name: 'failed-page', path: '/?name=maison', act: failPage },
  { name: 'bad-address', path: '/?page=0&page_size=1000' },
  { name: 'not-found', path: '/panels/nothing' },
  { name: 'operator-sign-in', path: '/ops/cache' },
  { name: 'operator', path: '/ops/cache', act: (page) => operate(page, '/ops/cache') },
  { name: 'operator-french', path: '/ops/cache', locale: 'fr-FR', act: (page) => operate(page, '/ops/cache') },
  { name: 'operator-inspect', path: '/ops/cache', act: (page) => operate(page, '/ops/cache?key=sellers_all') },
  {
    name: 'operator-purge',
    path: '/ops/cache',
    act: (page) => operate(page, '/ops/cache/purge?kind=tag&name=sellers&hard=on'),
  },
]

/** Signs in after five minutes of varying traffic. */
async function operate(page: Page, path: string): Promise<void> {
  for (let second = 0; second < 300; second += 1) {
    const visitors = Math.round(6 + 5 * Math.sin(second / 25) + (second % 7))
    for (let visitor = 0; visitor < visitors; visitor += 1) {
      await app.inject(visitor % 3 === 0 ? `/api/v1/sellers?page=${1 + ((second + visitor) % 40)}` : '/')
    }
    if (second % 50 === 49) await app.cache.purge({ tags: ['sellers'] })
    app.liveStats.tick()
  }
  await page.getByRole('textbox').fill('screenshots')
  await page.getByRole('button').click()
  await page.goto(`${url}${path}`)
  await page.locator('h1').scrollIntoViewIfNeeded()
}

async function failPage(page: Page): Promise<void> {
  upstream.fail({ hang: 'at once' })
  await page.goto(`${url}/?name=atelier`)
}

await mkdir(folder, { recursive: true })
const browser = await launchBrowser()
let violations = 0
try {
  for (const { name, path: address, locale = 'en-GB', act } of states) {
    if (values.only !== undefined && !values.only.split(',').includes(name)) continue
    for (const { viewport, colorScheme } of looks) {
      upstream.heal()
      await app.cache.purge({ all: true })
      await app.inject('/')
      for (const { id } of [first, second]) await app.inject(`/panels/sellers/${id}/events`)
      const { context, page } = await openWindow(browser, { viewport, colorScheme, locale })
      await context.clock.setFixedTime(clock.now())
      await page.goto(`${url}${address}`)
      await act?.(page)
      const file = `${name}-${viewport.width}${values.all ? `-${colorScheme}` : ''}.png`
      const path = `${documented.has(file) ? documentedFolder : folder}/${file}`
      await page.screenshot({ path, animations: 'allow', fullPage: name.startsWith('operator') })
      upstream.heal()
      const barriers = await findAccessibilityViolations(page)
      const overhang = await horizontalOverflow(page)
      if (overhang > 0) barriers.push(`${overhang} pixels wider than its window`)
      violations += barriers.length
      process.stdout.write(`${file}\n${barriers.map((barrier) => `  ${barrier}\n`).join('')}`)
      await context.close()
    }
  }
} finally {
  await browser.close()
  await app.close()
  await upstream.close()
}
process.exitCode = violations === 0 ? 0 : 1
