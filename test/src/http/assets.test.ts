import Fastify from 'fastify'
import edge from 'fastify-vitrine/edge'
import t, { type Test } from 'tap'
import serveAssets, { Asset } from '../../../src/http/assets.js'
import { startApp } from '../../harness/app.js'

const oldFile = new Asset('/assets/page.js', 'text/javascript', Buffer.from('// old'))
const newFile = new Asset('/assets/page.js', 'text/javascript', Buffer.from('// new'))

/** A process of a deployment. */
async function serve(t: Test, file: Asset) {
  const app = Fastify()
  await app.register(edge)
  await app.register(serveAssets, { files: [file] })
  t.teardown(() => app.close())
  return {
    app,
    get: async (url: string) => {
      const { statusCode, body, headers } = await app.inject(url)
      return [statusCode, body, headers['cache-control']]
    },
  }
}

const immutable = 'public, max-age=31536000, immutable'

t.test('during a deployment no URL is immutable with the bytes of another version', async (t) => {
  const [before, after] = [await serve(t, oldFile), await serve(t, newFile)]
  for (let time = 0; time < 2; time += 1) {
    t.strictSame(await before.get(newFile.url), [200, '// old', 'private, no-store'])
    t.strictSame(await after.get(oldFile.url), [200, '// new', 'private, no-store'])
    t.strictSame(await before.get(oldFile.url), [200, '// old', immutable])
    t.strictSame(await after.get(newFile.url), [200, '// new', immutable])
  }
})

t.test('only the current version is stored by any cache, whatever the query', async (t) => {
  const { app, get } = await serve(t, newFile)
  for (const query of [
    '',
    '?',
    '?v=',
    '?v=0000000000',
    `?v=${newFile.version.slice(1)}`,
    `?v=${newFile.version}0`,
    `?v=${newFile.version}&v=${newFile.version}`,
    `?v=${newFile.version.toUpperCase()}x`,
    `?V=${newFile.version}`,
    `?v[]=${newFile.version}`,
    `?v=${'x'.repeat(15_000)}`,
  ]) {
    const [status, , cacheControl] = await get(`/assets/page.js${query}`)
    t.ok(status === 200 || status === 400, query.slice(0, 40))
    t.not(cacheControl, immutable, query.slice(0, 40))
  }
  t.equal(app.edge.stats().memory.resources, 0)
  await get(newFile.url)
  await get(`${newFile.url}&utm_source=x`)
  t.equal(app.edge.stats().memory.resources, 1)
  t.equal(app.edge.stats().requests.hit, 1)
})

t.test('caches in front store only the current version of the application’s assets', async (t) => {
  const { app } = await startApp(t)
  const current = /\/assets\/vitrine\.css\?v=\w+/.exec((await app.inject('/')).body)?.[0] ?? ''
  for (const [url, isStored] of [
    [current, true],
    ['/assets/vitrine.css', false],
    ['/assets/vitrine.css?v=next', false],
  ] as const) {
    const { headers } = await app.inject(url)
    t.equal(headers['cache-control'], isStored ? immutable : 'private, no-store', url)
    const forCaches = headers['cdn-cache-control']
    t.ok(isStored || forCaches === undefined || /no-store/.test(String(forCaches)), url)
    t.equal(headers['surrogate-key'], undefined)
  }
})
