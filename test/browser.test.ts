import t from 'tap'
import { testAccess } from './browser/access.js'
import { testOperatorPage } from './browser/operator.js'
import { testPanels } from './browser/panels.js'
import { testSearches } from './browser/search.js'
import { testInBrowser } from './harness/browser.js'
import { startSite } from './harness/site.js'

// All browser tests share one browser, because starting it takes longer than most of them.

t.jobs = 3

await testInBrowser(t, async (browser) => {
  const shared = await startSite(t)
  testPanels(t, browser, shared)
  testAccess(t, browser, shared)
  testSearches(t, browser, shared)
  testOperatorPage(t, browser)
})

t.end()
