import type { Page } from 'playwright-core'
import type { Test } from 'tap'
import { startApp, type TestAppOptions } from './app.js'
import { type CatalogRecord, makeCatalogs, makeSellers, type SellerRecord, type Upstream } from './upstream.js'

/** The application as a browser finds it. */
export interface Site {
  readonly url: string
  readonly upstream: Upstream
}

export interface SiteOptions extends Omit<TestAppOptions, 'upstream'> {
  readonly data?: { sellers: SellerRecord[]; catalogs: CatalogRecord[] }
}

/** The application, listening, before an upstream with 60 sellers of 45 events each unless the test wants others. */
export async function startSite(t: Test, { data, ...options }: SiteOptions = {}): Promise<Site> {
  const sellers = makeSellers(60)
  const catalogs = sellers.flatMap(({ id }) => makeCatalogs({ sellerId: id, count: 45 }))
  const { app, upstream } = await startApp(t, { ...options, upstream: data ?? { sellers, catalogs } })
  return { url: await app.listen({ port: 0, host: '127.0.0.1' }), upstream }
}

/** Waits until an element that the selector finds shows the text. */
export function sees(page: Page, selector: string, text: string): Promise<void> {
  return page.locator(selector, { hasText: text }).first().waitFor()
}
