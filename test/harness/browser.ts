import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import type { Test } from 'tap'

/** Errors and policy violations caused by a page. */
export type Faults = string[]

export interface Visit {
  readonly context: BrowserContext
  readonly page: Page
  readonly faults: Faults
}

/** Launches the installed Chromium without background requests. Throws if there is none. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = findChromium()
  if (executablePath === undefined) throw new Error('Chromium is not installed (Debian: apt-get install chromium)')
  return chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

/**
 * Runs tests in one browser. Without Chromium they are skipped with a hint what to install. In CI that is a failure.
 * `npm run test:node` sets `SKIP_BROWSER_TESTS`.
 */
export async function testInBrowser(t: Test, test: (browser: Browser) => Promise<void>): Promise<void> {
  if (process.env.SKIP_BROWSER_TESTS === 'true') {
    t.pass('browser tests', { skip: 'SKIP_BROWSER_TESTS is set' })
    return
  }
  if (findChromium() === undefined) {
    const reason = 'there is Chromium is not installed (Debian: apt-get install chromium)'
    if (process.env.CI === 'true') t.fail(reason)
    else t.pass('browser tests', { skip: reason })
    return
  }
  const browser = await launchBrowser()
  t.teardown(() => browser.close())
  await test(browser)
}

function findChromium(): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/bin']
  const names = ['chromium', 'chromium-browser', 'google-chrome']
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path))
}

/** Messages of htmx about a request that was replaced by a newer one. */
const replacedRequest = /^htmx:(sendAbort|afterRequest),/

/** Opens an isolated window that records errors, dialogs, requests to other origins and policy violations. */
export async function openWindow(browser: Browser, options: BrowserContextOptions): Promise<Visit> {
  const context = await browser.newContext({ locale: 'en-GB', ...options })
  context.setDefaultTimeout(60_000)
  const faults: Faults = []
  context.on('console', (message) => {
    const isFault = message.type() === 'error' || message.type() === 'warning'
    if (isFault && !replacedRequest.test(message.text())) faults.push(message.text())
  })
  context.on('weberror', (error) => faults.push(String(error.error())))
  context.on('dialog', (dialog) => faults.push(`a dialog: ${dialog.message()}`))
  context.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url())
    if (protocol !== 'data:' && hostname !== '127.0.0.1') faults.push(`a request to ${request.url()}`)
  })
  await context.addInitScript({
    content: `document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      console.error('securitypolicyviolation', violatedDirective, blockedURI))`,
  })
  return { context, page: await context.newPage(), faults }
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface AxeViolation {
  readonly id: string
  readonly help: string
  readonly nodes: readonly { readonly target: readonly unknown[]; readonly failureSummary?: string }[]
}

/** The violations that axe-core finds in the current page, one line each. Requires JavaScript in the page. */
export async function findAccessibilityViolations(page: Page): Promise<string[]> {
  if (await page.evaluate("typeof axe === 'undefined'")) await page.evaluate(axeSource)
  const found = await page.evaluate(`axe
    .run(document, { resultTypes: ['violations'] })
    .then(({ violations }) => violations)`)
  return (found as AxeViolation[]).flatMap(
    (
      { id, help, nodes }, // the documented result of axe.run
    ) => nodes.map(({ target, failureSummary = '' }) => `${id}: ${help}: ${target.join(' ')}: ${failureSummary}`),
  )
}

/** A wide light and a narrow dark screen. */
const screens = [
  { width: 1_280, height: 800, colorScheme: 'light' },
  { width: 390, height: 844, colorScheme: 'dark' },
] as const

/** Asserts on each screen that the current page has no accessibility violations and does not overflow its window. */
export async function checkAccessibility(t: Test, page: Page, state: string): Promise<void> {
  for (const { width, height, colorScheme } of screens) {
    await page.setViewportSize({ width, height })
    await page.emulateMedia({ colorScheme })
    const name = `${state}, ${width} px, ${colorScheme}`
    t.strictSame(await findAccessibilityViolations(page), [], name)
    t.equal(await horizontalOverflow(page), 0, `${name}: no horizontal overflow`)
  }
}

/** Pixels by which the page is wider than the window. */
export function horizontalOverflow(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
}
