import type { Page } from 'playwright-core'
import type { Test } from 'tap'
import { startApp, type TestAppOptions } from './app.js'
import { type CatalogRecord, makeCatalogs, makeSellers, type SellerRecord, type Upstream } from './upstream.js'

/** A listening application and its upstream. */
export interface Site {
  readonly url: string
  readonly upstream: Upstream
}

export interface SiteOptions extends Omit<TestAppOptions, 'upstream'> {
  readonly data?: { sellers: SellerRecord[]; catalogs: CatalogRecord[] }
}

/** Starts the application on a port. By default its upstream has 60 sellers with 45 events each. */
export async function startSite(t: Test, { data, ...options }: SiteOptions = {}): Promise<Site> {
  const sellers = makeSellers(60)
  const catalogs = sellers.flatMap(({ id }) => makeCatalogs({ sellerId: id, count: 45 }))
  const { app, upstream } = await startApp(t, { ...options, upstream: data ?? { sellers, catalogs } })
  return { url: await app.listen({ port: 0, host: '127.0.0.1' }), upstream }
}

/** Waits until an element that matches the selector contains the text. */
export function sees(page: Page, selector: string, text: string): Promise<void> {
  return page.locator(selector, { hasText: text }).first().waitFor()
}
