import { launchBrowser, openWindow } from '../test/harness/browser.js'
import { until } from '../test/harness/until.js'
import { round, startServer, summary } from './harness.js'

// Page loads and clicks in a browser. Method: the compiled server in a separate process with the demo marketplace and warm
// caches, headless Chromium on the same two cores, over loopback. Prints milliseconds and transferred bytes.

const loads = 20
const pages = 8
const clicksOfPage = 5
/** The minimum time in which a person finds a seller in a list. */
const beforeFirstClickMs = 500

const measureLoad = `new Promise((resolve) => {
  let shift = 0
  const shifted = []
  new PerformanceObserver((list) => {
    for (const { value, sources } of list.getEntries()) {
      shift += value
      shifted.push(...sources.map(({ node }) => node?.outerHTML?.slice(0, 100) ?? String(node?.nodeName)))
    }
  }).observe({ type: 'layout-shift', buffered: true })
  setTimeout(() => {
    const entries = ['navigation', 'resource'].flatMap((type) => performance.getEntriesByType(type))
    resolve({
      paintMs: performance.getEntriesByName('first-contentful-paint')[0].startTime,
      shift,
      shifted,
      bytes: entries.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
      requests: entries.length,
      foreign: entries.filter(({ name }) => new URL(name).origin !== location.origin).length,
    })
  }, 200)
})`

const server = await startServer()
const { url } = server
if (url === undefined) throw new Error('the server does not listen')
const browser = await launchBrowser()
try {
  const sellers = await sellerIds()
  await warmUp(sellers)
  const events = `/panels/sellers/${sellers[0]}/events`
  for (const path of ['/', events]) {
    report(path, 'first visit', await measureLoads(path, { isNewEachTime: true }))
    report(path, 'repeat visit', await measureLoads(path, { isNewEachTime: false }))
  }
  await measureClicks(sellers)
} finally {
  await browser.close()
  await server.stop()
}

async function sellerIds() {
  const { items } = await (await fetch(`${url}/api/v1/sellers`)).json()
  return items.map(({ id }) => id)
}

/** Requests everything until the responses are compressed, which happens after the first request. */
async function warmUp(sellers) {
  const html = await (await fetch(`${url}/`)).text()
  const files = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+\.(?:css|js)[^"]*)"/g)].map(([, file]) => file)
  const fragments = sellers.map((id) => `/panels/sellers/${id}/events`)
  const requests = [
    ...['/', ...files, ...fragments].map((path) => [path, {}]),
    ...fragments.map((path) => [path, { 'HX-Request': 'true' }]),
  ]
  for (const [path, headers] of requests) {
    const requestHeaders = { ...headers, 'accept-language': 'en-GB', 'accept-encoding': 'gzip, deflate, br, zstd' }
    const isCompressed = async () =>
      (await fetch(`${url}${path}`, { headers: requestHeaders })).headers.has('content-encoding')
    if (!(await until(isCompressed, 2_000))) process.stdout.write(`not compressed: ${path}\n`)
  }
}

async function measureLoads(path, { isNewEachTime }) {
  const measured = []
  let visit = await openWindow(browser, { viewport: { width: 1_280, height: 800 } })
  if (!isNewEachTime) await visit.page.goto(`${url}${path}`)
  for (let load = 0; load < loads; load += 1) {
    if (isNewEachTime) {
      await visit.context.close()
      visit = await openWindow(browser, { viewport: { width: 1_280, height: 800 } })
    }
    await visit.page.goto(`${url}${path}`)
    measured.push(await visit.page.evaluate(measureLoad))
    if (visit.faults.length > 0) throw new Error(visit.faults.join('\n'))
  }
  await visit.context.close()
  return measured
}

function report(path, visitor, measured) {
  const { p50, max } = summary(measured.map(({ paintMs }) => paintMs))
  const [bytes, shift, foreign] = ['bytes', 'shift', 'foreign'].map((name) =>
    Math.max(...measured.map((load) => load[name])),
  )
  console.log(`\n${path}: ${visitor}, ${loads} times`)
  console.log(`first contentful paint: p50 ${round(p50)}, max ${round(max)}  ${verdict(max < 300, '< 300')}`)
  console.log(`layout shift: ${shift}  ${verdict(shift === 0, '0')}`)
  for (const { shifted } of measured) for (const element of shifted) console.log(`    shifted: ${element}`)
  console.log(`bytes: ${bytes} in ${measured[0].requests} files  ${verdict(Number(bytes) < 60_000, '< 60,000')}`)
  console.log(`requests to other origins: ${foreign}  ${verdict(foreign === 0, '0')}`)
}

/** Measures from the click to the events in the page and to the frame that shows them, and counts frames with other content. */
async function measureClicks(sellers) {
  const measured = []
  for (let opened = 0; opened < pages; opened += 1) {
    const { context, page } = await openWindow(browser, { viewport: { width: 1_280, height: 800 } })
    await page.goto(`${url}/`)
    for (let nth = 0; nth < clicksOfPage; nth += 1) {
      await page.waitForTimeout(nth === 0 ? beforeFirstClickMs : 50)
      const seller = sellers[(opened + nth) % sellers.length]
      measured.push({ isFirst: nth === 0, ...(await measureClick(page, seller)) })
    }
    await context.close()
  }
  const first = measured.filter(({ isFirst }) => isFirst)
  const later = measured.filter(({ isFirst }) => !isFirst)
  console.log('\na click on a seller whose events are warm, to the frame that shows them')
  for (const [which, times] of Object.entries({ 'first click of a page': first, 'later click': later })) {
    const { p50, max } = summary(times.map(({ frameMs }) => frameMs))
    console.log(`${which}, ${times.length} times: p50 ${round(p50)}, max ${round(max)}  ${verdict(max < 50, '< 50')}`)
  }
  const swap = summary(measured.map(({ swapMs }) => swapMs))
  console.log(`events in the page after: p50 ${round(swap.p50)}, max ${round(swap.max)}`)
  const flashes = measured.reduce((sum, click) => sum + click.flashes, 0)
  console.log(`frames with neither the old nor the new events: ${flashes}  ${verdict(flashes === 0, '0')}`)
}

function measureClick(page, id) {
  return page.evaluate(`new Promise((resolve) => {
    const began = performance.now()
    const before = document.querySelector('#events')
    let [swapMs, flashes] = [0, 0]
    const isComplete = () => {
      const results = document.querySelector('#events .results')
      if (!results || results.getBoundingClientRect().height === 0) return false
      const { visibility } = getComputedStyle(results, '::after')
      return visibility === 'hidden' && getComputedStyle(document.querySelector('#events')).opacity === '1'
    }
    new MutationObserver((_changes, observer) => {
      if (document.querySelector('#events') === before) return
      observer.disconnect()
      swapMs = performance.now() - began
    }).observe(document.querySelector('.panels'), { childList: true })
    const frame = () => {
      if (!isComplete()) flashes += 1
      if (swapMs > 0) resolve({ swapMs, frameMs: performance.now() - began, flashes })
      else requestAnimationFrame(frame)
    }
    document.querySelector('[data-seller="${id}"]').click()
    requestAnimationFrame(frame)
  })`)
}

function verdict(isMet, target) {
  return `target ${target}: ${isMet ? 'ok' : 'MISS'}`
}
