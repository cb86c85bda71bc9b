import type { LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import { startApp, type TestApp, type TestAppOptions } from './app.js'
import { makeCatalogs, makeSellers } from './upstream.js'

/** Somebody who opens addresses of the application. */
export interface Visitor extends TestApp {
  open(url: string, headers?: Record<string, string>): Promise<LightMyRequestResponse>
}

/** Before an upstream with 45 sellers, of whom the seventh has 30 events, unless the test wants others. */
export async function browse(t: Test, options: TestAppOptions = {}): Promise<Visitor> {
  const upstream = { sellers: makeSellers(45), catalogs: makeCatalogs({ sellerId: 7, count: 30 }) }
  const parts = await startApp(t, { upstream, ...options })
  return { ...parts, open: (url, headers = {}) => parts.app.inject({ url, headers }) }
}
