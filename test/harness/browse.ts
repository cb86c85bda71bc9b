import type { LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import { startApp, type TestApp, type TestAppOptions } from './app.js'
import { makeCatalogs, makeSellers } from './upstream.js'

/** An application and a function that requests its pages. */
export interface Visitor extends TestApp {
  open(url: string, headers?: Record<string, string>): Promise<LightMyRequestResponse>
}

/** Starts the application. By default its upstream has 45 sellers, and the seventh has 30 events. */
export async function browse(t: Test, options: TestAppOptions = {}): Promise<Visitor> {
  const upstream = { sellers: makeSellers(45), catalogs: makeCatalogs({ sellerId: 7, count: 30 }) }
  const testApp = await startApp(t, { upstream, ...options })
  return { ...testApp, open: (url, headers = {}) => testApp.app.inject({ url, headers }) }
}
