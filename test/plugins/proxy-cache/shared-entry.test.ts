import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Static } from '@sinclair/typebox'
import fc from 'fast-check'
import { createTestStore } from 'fastify-vitrine/cache/testing'
import t, { type Test } from 'tap'
import { type SharedResponse, sharedProblem } from '../../../plugins/proxy-cache/shared-entry.js'
import { startPlugins } from '../../harness/plugins.js'

// Entries of the shared store that this package did not write, or not in this form.

type Shared = Static<typeof SharedResponse>

const minute = 60_000
const valid: Shared = {
  status: 200,
  fields: { 'content-type': 'text/plain', 'cache-control': 'max-age=60' },
  cdnFields: {},
  body: Buffer.from('shared').toString('base64'),
  bornAt: 0,
  receivedAt: 0,
  freshUntil: minute,
  revalidateUntil: minute,
  staleUntil: minute,
  varyNames: [],
  varyValues: [],
  allowsStale: true,
  hasOwnValidator: false,
  tags: [],
}

t.test('an entry is a response only as this cache could have stored it', async (t) => {
  const cases: { name: string; entry: Partial<Shared>; expected: string | undefined }[] = [
    { name: 'as stored', entry: {}, expected: undefined },
    { name: 'another final status', entry: { status: 404 }, expected: undefined },
    { name: 'an interim status', entry: { status: 101 }, expected: 'status' },
    { name: 'no status of HTTP', entry: { status: 600 }, expected: 'status' },
    { name: 'a negative status', entry: { status: -200 }, expected: 'status' },
    { name: 'a part', entry: { status: 206 }, expected: 'status' },
    { name: 'a 304', entry: { status: 304 }, expected: 'status' },
    { name: 'a cookie', entry: { fields: { 'set-cookie': 'sid=1' } }, expected: 'fields' },
    { name: 'a cookie among the added fields', entry: { cdnFields: { 'set-cookie': 'sid=1' } }, expected: 'fields' },
    { name: 'a field of the connection', entry: { fields: { 'transfer-encoding': 'chunked' } }, expected: 'fields' },
    { name: 'a name in capitals', entry: { fields: { 'Content-Length': '5' } }, expected: 'fields' },
    { name: 'a name with a line feed', entry: { fields: { 'a\n': 'b' } }, expected: 'fields' },
    { name: 'an empty name', entry: { fields: { '': 'b' } }, expected: 'fields' },
    { name: 'a value with a line feed', entry: { fields: { 'x-a': 'b\r\nset-cookie: sid=1' } }, expected: 'fields' },
    { name: 'a second line with one', entry: { fields: { 'x-a': ['b', 'c\nd'] } }, expected: 'fields' },
    { name: 'a value outside Latin-1', entry: { fields: { 'x-a': '\u0100' } }, expected: 'fields' },
    { name: 'huge fields', entry: { fields: { 'x-a': Array(100).fill('v'.repeat(1_000)) } }, expected: 'fields' },
    { name: 'the largest body', entry: { body: Buffer.alloc(99).toString('base64') }, expected: undefined },
    { name: 'a larger body', entry: { body: Buffer.alloc(103).toString('base64') }, expected: 'body' },
    { name: 'a body that is not base64', entry: { body: 'a b' }, expected: 'body' },
    { name: 'an instant that is no date', entry: { freshUntil: 1e300 }, expected: 'instants' },
    { name: 'an infinite instant', entry: { bornAt: Number.NEGATIVE_INFINITY }, expected: 'instants' },
    { name: 'a variant', entry: { varyNames: ['accept'], varyValues: ['=a'] }, expected: undefined },
    { name: 'a variant without values', entry: { varyNames: ['accept'] }, expected: 'vary' },
    { name: 'a variant by no field', entry: { varyNames: ['a b'], varyValues: [''] }, expected: 'vary' },
    { name: 'too many tags', entry: { tags: Array(13).fill('t') }, expected: 'tags' },
    { name: 'an invalid tag', entry: { tags: ['a b'] }, expected: 'tags' },
  ]
  for (const { name, entry, expected } of cases) t.equal(sharedProblem({ ...valid, ...entry }, 100), expected, name)
})

/** A route whose responses are shared, and a way to replace its entry in the shared store. */
async function start(t: Test) {
  const { app, book } = await startPlugins(t, {
    cache: { store: createTestStore().store },
    proxyCache: {},
    routes: (app) => {
      app.get('/x', { config: { proxyCache: { shared: true, maxBodyBytes: 1_000 } } }, async (_request, reply) =>
        reply.header('cache-control', 'max-age=60').send('origin'),
      )
    },
  })
  const set = app.cache.set.bind(app.cache)
  let writeEntry = async (_value: object): Promise<unknown> => undefined
  let writeResource = async (_value: object): Promise<unknown> => undefined
  app.cache.set = (key, value, options) => {
    if (typeof value === 'object' && value !== null && 'body' in value) {
      writeEntry = (changed) => set(key, { ...value, ...changed }, options)
    } else if (typeof value === 'object' && value !== null && 'variants' in value) {
      writeResource = (changed) => set(key, { ...value, ...changed }, options)
    }
    return set(key, value, options)
  }
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo // of a listening TCP server
  const ask = async () => {
    const asked = request({ host: '127.0.0.1', port, path: '/x' }).end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage] // Node's types do not know the event
    return { status: response.statusCode, headers: response.headers, body: await text(response) }
  }
  await ask()
  return {
    app,
    book,
    ask,
    writeEntry: (value: object) => writeEntry(value),
    writeResource: (value: object) => writeResource(value),
  }
}

t.test('an invalid entry is a miss with one warning for each reason, and is replaced', async (t) => {
  const { book, ask, writeEntry } = await start(t)
  await writeEntry({ body: Buffer.from('shared').toString('base64') })
  t.match(await ask(), { body: 'shared' }, 'a valid entry is used')
  for (let count = 0; count < 2; count += 1) {
    for (const changed of [{ fields: { 'x-a': 'a\nb' } }, { fields: { 'Set-Cookie': 'sid=1' } }, { status: 999 }]) {
      t.equal(await writeEntry(changed), true)
      const { status, body, headers } = await ask()
      t.match({ status, body }, { status: 200, body: 'origin' })
      t.notOk('set-cookie' in headers)
      t.match(headers['cache-status'], /stored/, 'what the origin sends replaces it')
    }
  }
  t.strictSame(
    book.at(40).map(({ kind, reason }) => [kind, reason]),
    [
      ['proxy-cache', 'fields'],
      ['proxy-cache', 'status'],
    ],
  )
})

t.test('an invalid list of variants costs a bounded number of reads, and deletes no other key', async (t) => {
  const { app, ask, writeEntry, writeResource } = await start(t)
  await app.cache.set('other', 'value')
  let reads = 0
  const { get } = app.cache
  app.cache.get = new Proxy(get, {
    apply(target, cache, parameters) {
      reads += 1
      return Reflect.apply(target, cache, parameters)
    },
  })
  await writeEntry({ status: 999 }) // so that the response in memory is not used
  await writeResource({
    varies: [['a b'], ...Array.from({ length: 1_000 }, (_, index) => [`x-${index}`])],
    variants: ['other', '', 'x'.repeat(1_000), ...Array.from({ length: 100 }, () => 'other')],
  })
  t.match(await ask(), { status: 200, body: 'origin' })
  t.ok(reads < 100, `${reads} reads`)
  t.equal(await app.cache.get('other'), 'value')
})

t.test('whatever another program writes, clients get a well-formed response', async (t) => {
  const { ask, writeEntry } = await start(t)
  const name = fc.oneof(
    fc.constantFrom(
      'x-a',
      'content-length',
      'connection',
      'Set-Cookie',
      'set-cookie',
      'etag',
      'vary',
      'date',
      '__proto__',
    ),
    fc.constantFrom('content-type', 'content-encoding', 'expires', 'age', 'cache-control', 'last-modified', 'trailer'),
    fc.string({ maxLength: 5 }),
  )
  const value = fc.oneof(
    fc.string({ maxLength: 10, unit: 'binary' }),
    fc.string({ maxLength: 10 }),
    fc.constantFrom('0', 'gzip', '"a"', '*', 'max-age=0', 'Thu, 01 Jan 1970 00:00:00 GMT', 'a\r\nb: c'),
  )
  const lines = fc.oneof(value, fc.array(value, { maxLength: 3 }))
  const instant = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.constantFrom(0, Date.now(), Date.now() + minute, 8.64e15, -8.64e15, 1e308),
  )
  const properties = {
    status: fc.oneof(fc.integer(), fc.integer({ min: 99, max: 600 }), fc.constantFrom(200, 204, 205, 301, 404)),
    fields: fc.dictionary(name, lines, { maxKeys: 3 }),
    cdnFields: fc.dictionary(name, value, { maxKeys: 2 }),
    body: fc.oneof(fc.base64String(), fc.string(), fc.base64String({ minLength: 1_000, maxLength: 3_000 })),
    bornAt: instant,
    receivedAt: instant,
    freshUntil: instant,
    revalidateUntil: instant,
    staleUntil: instant,
    varyNames: fc.array(name, { maxLength: 2 }),
    varyValues: fc.array(value, { maxLength: 2 }),
    allowsStale: fc.boolean(),
    hasOwnValidator: fc.boolean(),
    tags: fc.array(fc.string({ maxLength: 3 }), { maxLength: 20 }),
  }
  // A few properties at once: with all of them no entry would be valid.
  const names = fc.uniqueArray(fc.constantFrom(...Object.keys(properties)), { maxLength: 3 })
  const entry = fc
    .tuple(names, fc.record(properties))
    .map(
      ([chosen, all]): Partial<Shared> =>
        Object.fromEntries(Object.entries(all).filter(([key]) => chosen.includes(key))),
    )
  let served = 0
  await fc.assert(
    fc.asyncProperty(entry, async (changed) => {
      await writeEntry({ body: valid.body, ...changed })
      const { status, headers, body } = await ask()
      if (body !== 'origin') served += 1
      const isEntry = status === changed.status || (status === 200 && changed.status === undefined)
      if (body !== 'origin' && !isEntry) throw new Error(`${status}: ${body}`)
      if ('set-cookie' in headers) throw new Error('a cookie for all clients')
    }),
    { numRuns: 500 },
  )
  t.ok(served > 0, `${served} of 500 entries are valid, and served`)
})
