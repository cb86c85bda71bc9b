import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { type Client, createClient, explain, noticeOf } from '../examples/api/client.js'
import { generateTypes, typesFile } from './harness/api-types.js'
import { startApp, type TestApp } from './harness/app.js'
import { type Clock, createClock } from './harness/clock.js'
import { makeCatalogs, makeSellers } from './harness/upstream.js'

// The example client with the types generated from the API description, and the real application.

const execute = promisify(execFile)

interface OpenApp extends TestApp {
  readonly client: Client
  readonly clock: Clock
  readonly url: string
}

async function openApp(t: Test, environment: Record<string, string> = {}): Promise<OpenApp> {
  const clock = createClock()
  const upstream = { sellers: makeSellers(45), catalogs: makeCatalogs({ sellerId: 7, count: 30 }) }
  const parts = await startApp(t, { environment, upstream, now: clock.now })
  const url = await parts.app.listen({ port: 0, host: '127.0.0.1' })
  return { ...parts, clock, url, client: createClient(url) }
}

async function all<Page>(pages: AsyncIterable<Page>): Promise<Page[]> {
  const list: Page[] = []
  for await (const page of pages) list.push(page)
  return list
}

async function failureOf(pages: AsyncIterable<unknown>): Promise<unknown> {
  return all(pages).then(
    () => undefined,
    (error: unknown) => error,
  )
}

t.test('the generated types are current: `npm run docs:client` updates them', async (t) => {
  t.equal(await generateTypes(), readFileSync(typesFile, 'utf8'))
})

t.test('the client compiles with the types, and use of missing fields does not', async (t) => {
  const args = ['node_modules/typescript/bin/tsc', '--noEmit', '-p', 'test/types']
  const { stdout } = await execute(process.execPath, args).catch(({ stdout }: { stdout: string }) => ({ stdout }))
  t.equal(stdout, '', 'no compiler output')
})

t.test('the client reads a list page by page along its links', async (t) => {
  const { client } = await openApp(t)
  const pages = await all(client.sellers({ page_size: 20 }))
  t.strictSame(
    pages.map(({ listing }) => [listing.page, listing.items.length]),
    [
      [1, 20],
      [2, 20],
      [3, 5],
    ],
  )
  const filtered = await all(client.catalogs('7', { title: 'sale 000', page_size: 5 }))
  t.strictSame(
    filtered.map(({ listing }) => listing.items.map(({ title }) => title)),
    [
      ['Sale 0001', 'Sale 0002', 'Sale 0003', 'Sale 0004', 'Sale 0005'],
      ['Sale 0006', 'Sale 0007', 'Sale 0008', 'Sale 0009'],
    ],
  )
})

t.test('the client transfers a list again only if it has changed', async (t) => {
  const { app, client, upstream } = await openApp(t)
  const first = await all(client.sellers({ page_size: 40 }))
  t.strictSame(
    first.map(({ isNotModified }) => isNotModified),
    [false, false],
  )
  const second = await all(client.sellers({ page_size: 40 }))
  t.strictSame(
    second,
    first.map(({ listing }) => ({ listing, isNotModified: true })),
  )

  upstream.sellers.push({ id: 46, name: 'The last one' })
  await app.cache.purge({ tags: ['sellers'] })
  const third = await all(client.sellers({ page_size: 40 }))
  t.strictSame(
    third.map(({ listing, isNotModified }) => [listing.total, isNotModified]),
    [
      [46, false],
      [46, false],
    ],
  )
})

t.test('the client reports that a list is stale, and its age', async (t) => {
  const { client, clock, upstream } = await openApp(t)
  const [fresh] = await all(client.sellers({ page_size: 100 }))
  t.equal(fresh && noticeOf(fresh.listing), undefined)
  clock.step(400)
  upstream.fail({ status: 500 })
  const [stale] = await all(client.sellers({ page_size: 100 }))
  t.equal(
    stale && noticeOf(stale.listing),
    'As of Tue, 10 Mar 2026 12:00:00 GMT. The list is updated when the marketplace is available.',
  )
  t.strictSame(stale?.listing.items, fresh?.listing.items)
})

t.test('the client explains each problem to the user', async (t) => {
  const { client, upstream } = await openApp(t, { RATE_LIMIT_MAX: '4' })
  t.equal(explain(await failureOf(client.sellers({ page_size: 500 }))), 'Invalid search: page_size.')
  upstream.fail({ destroy: 'at once' })
  t.equal(explain(await failureOf(client.sellers())), 'The marketplace is unavailable. Try again in 5 s.')
  upstream.fail({ status: 500 })
  t.match(explain(await failureOf(client.sellers({ name: 'x' }))), /^Something went wrong\. Request id: [\w-]{36}$/)
  upstream.heal()
  await all(client.sellers({ page_size: 100 }))
  t.match(explain(await failureOf(client.sellers())), /^Too many requests\. Try again in \d+ s\.$/)
  t.equal(explain(await failureOf(createClient('http://127.0.0.1:1').sellers())), 'No connection.')
})

t.test(
  'examples/mobile-client.ts lists the sellers, and the second time reports that they are unchanged',
  async (t) => {
    const { url } = await openApp(t)
    const args = ['--import=./test/harness/typescript.js', 'examples/mobile-client.ts', url]
    const { stdout } = await execute(process.execPath, args) // rejects if it exits with an error
    t.strictSame(stdout.trim().split('\n'), [
      'first time, page 1 of 1: 45 of 45 sellers',
      'second time, page 1 of 1: 45 of 45 sellers, not modified',
    ])
  },
)
