import { gzipSync } from 'node:zlib'
import replyFrom from '@fastify/reply-from'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { Agent, request } from 'undici'
import proxyCache from '../../../plugins/proxy-cache/index.js'
import { createClock } from '../../harness/clock.js'
import { type Nginx, skipWithoutNginx, startNginx } from '../../harness/nginx.js'
import { listen } from '../../harness/raw-http.js'
import { until } from '../../harness/until.js'

// A real nginx serves files behind the proxy cache: clients get what they would get from nginx.

const skip = skipWithoutNginx
const lifetimeSeconds = 60
const text = Array.from({ length: 400 }, (_, at) => `line ${at} of a file that is worth compressing\n`).join('')
const directives = `
  expires ${lifetimeSeconds}s;
  if_modified_since before;
  location /plain/ {}
  location /gzip/ { gzip on; gzip_vary on; gzip_min_length 1; gzip_types *; }
  location /static/ { gzip_static on; gzip_vary on; }
  location /untagged/ { etag off; }
  location /untold/ { expires off; }
  location /check/ { expires off; add_header Cache-Control no-cache; }
  location /behind/ { expires off; add_header Cache-Control "max-age=1, stale-while-revalidate=600"; }
`

/** nginx closes a connection after some 412 without saying so: the next request on it would fail. */
const withoutKeepAlive = { pipelining: 0 }

interface Answer {
  readonly status: number
  readonly fields: Readonly<Record<string, string | undefined>>
  readonly body: Buffer
}

type Fields = Readonly<Record<string, string>>

interface Fixture {
  readonly nginx: Nginx
  direct(path: string, fields?: Fields, method?: 'GET' | 'HEAD'): Promise<Answer>
  /** Through the cache. */
  through(path: string, fields?: Fields, method?: 'GET' | 'HEAD'): Promise<Answer>
  step(seconds: number): void
  /** The responses of nginx since the last call, once its log has so many. */
  answered(count: number): Promise<string[]>
}

async function start(t: Test): Promise<Fixture> {
  const nginx = await startNginx(t, directives)
  // A week before the clock of nginx, so that its responses are never old.
  const clock = createClock(Date.now() - 7 * 86_400_000)
  const app = await startEdge(t, nginx.url, clock.now)
  const url = `http://127.0.0.1:${await listen(app)}`
  let seen = 0
  const dispatcher = new Agent(withoutKeepAlive)
  t.teardown(() => dispatcher.close())
  const ask =
    (base: string) =>
    async (path: string, fields: Fields = {}, method: 'GET' | 'HEAD' = 'GET') => {
      const { statusCode, headers, body } = await request(base + path, { method, headers: fields, dispatcher })
      const joined = Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')])
      return { status: statusCode, fields: Object.fromEntries(joined), body: Buffer.from(await body.arrayBuffer()) }
    }
  return {
    nginx,
    direct: ask(nginx.url),
    through: ask(url),
    step: clock.step,
    async answered(count) {
      await until(async () => (await nginx.answered()).length >= seen + count)
      const since = (await nginx.answered()).slice(seen)
      seen += since.length
      return since
    },
  }
}

async function startEdge(t: Test, base: string, now: () => number): Promise<FastifyInstance> {
  const app = Fastify()
  await app.register(proxyCache, { now })
  await app.register(replyFrom, { base, disableRequestLogging: true, undici: withoutKeepAlive })
  app.get('/*', { config: { proxyCache: {} } }, (request, reply) => reply.from(request.raw.url))
  await app.ready()
  t.teardown(() => app.close())
  return app
}

/** What a client relies on. A 304 of nginx has fewer fields than a 200, and no weak entity-tags. */
function essence({ status, fields, body }: Answer) {
  if (status === 416) return { status, range: fields['content-range'] }
  const { date, expires, etag, vary } = fields
  const whole = {
    status,
    control: fields['cache-control'],
    lifetime: expires === undefined ? undefined : (Date.parse(expires) - Date.parse(date ?? '')) / 1_000,
    modified: fields['last-modified'],
    type: fields['content-type'],
    coding: fields['content-encoding'],
    range: fields['content-range'],
    body: body.toString('base64'),
  }
  if (status === 304)
    return { ...whole, etag: etag?.replace('W/', ''), ...(etag === undefined ? {} : { modified: '' }) }
  return { ...whole, etag, vary, ranges: status === 200 ? fields['accept-ranges'] : undefined }
}

// --- the same as direct ------------------------------------------------------------------------------------------------------

/** Request fields, given the validators of the representation. */
type Case = readonly [title: string, fields: (is: { etag: string; modified: string }) => Fields]

const later = 'Tue, 03 Feb 2026 10:00:00 GMT'
const earlier = 'Sun, 01 Feb 2026 10:00:00 GMT'
const conditional: readonly Case[] = [
  ['no condition', () => ({})],
  ['the entity-tag', ({ etag }) => ({ 'if-none-match': etag })],
  ['a list with the entity-tag', ({ etag }) => ({ 'if-none-match': `"x", ${etag}` })],
  ['the entity-tag, marked as weak', ({ etag }) => ({ 'if-none-match': `W/${etag.replace('W/', '')}` })],
  ['any entity-tag', () => ({ 'if-none-match': '*' })],
  ['another entity-tag', () => ({ 'if-none-match': '"x"' })],
  ['another entity-tag and the date', ({ modified }) => ({ 'if-none-match': '"x"', 'if-modified-since': modified })],
  ['the date', ({ modified }) => ({ 'if-modified-since': modified })],
  ['a later date', () => ({ 'if-modified-since': later })],
  ['an earlier date', () => ({ 'if-modified-since': earlier })],
  ['a date that is none', () => ({ 'if-modified-since': 'yesterday' })],
]
const onlyByOrigin: readonly Case[] = [
  ['the entity-tag to be the same', ({ etag }) => ({ 'if-match': etag })],
  ['another entity-tag to be the same', () => ({ 'if-match': '"x"' })],
  ['no change since the date', ({ modified }) => ({ 'if-unmodified-since': modified })],
  ['no change since an earlier date', () => ({ 'if-unmodified-since': earlier })],
]
const ranges: readonly Case[] = [
  ['the first bytes', () => ({ range: 'bytes=0-9' })],
  ['one byte', () => ({ range: 'bytes=5-5' })],
  ['the last bytes', () => ({ range: 'bytes=-7' })],
  ['all but the first bytes', () => ({ range: 'bytes=100-' })],
  ['more than there is', () => ({ range: 'bytes=100-9999999' })],
  ['what is not there', () => ({ range: 'bytes=9999999-' })],
  ['bytes and the entity-tag', ({ etag }) => ({ range: 'bytes=0-9', 'if-range': etag })],
  ['bytes and another entity-tag', () => ({ range: 'bytes=0-9', 'if-range': '"x"' })],
  ['bytes and the date', ({ modified }) => ({ range: 'bytes=0-9', 'if-range': modified })],
  ['bytes and an earlier date', () => ({ range: 'bytes=0-9', 'if-range': earlier })],
  ['bytes where the entity-tag is another', ({ etag }) => ({ range: 'bytes=0-9', 'if-none-match': etag })],
]
const places: readonly { path: string; codings: readonly string[]; cases: readonly Case[]; hasTag?: boolean }[] = [
  { path: '/plain/a.txt', codings: ['', 'gzip'], cases: [...conditional, ...onlyByOrigin, ...ranges] },
  { path: '/static/a.txt', codings: ['gzip', 'br, gzip'], cases: conditional }, // nginx sends no ranges of precompressed files
  { path: '/static/a.txt', codings: ['', 'br', 'gzip;q=0'], cases: [...conditional, ...ranges] },
  { path: '/gzip/a.txt', codings: ['gzip', 'gzip;q=0', 'identity'], cases: conditional },
  {
    path: '/untagged/a.txt',
    codings: [''],
    cases: conditional.filter(([title]) => !title.includes('tag')),
    hasTag: false,
  },
  { path: '/untold/a.txt', codings: [''], cases: [...conditional, ...ranges] },
  { path: '/check/a.txt', codings: [''], cases: [...conditional, ...ranges] },
]

t.test(
  'the cache answers like nginx, before a response is stored, while it is fresh, and when it is stale',
  { skip },
  async (t) => {
    const world = await start(t)
    const { nginx, direct, through, step } = world
    for (const { path } of places) await nginx.write(path, text)
    await nginx.write('/static/a.txt.gz', gzipSync(text))
    let count = 0
    for (const { path, codings, cases, hasTag = true } of places) {
      for (const coding of codings) {
        const coded: Fields = coding === '' ? {} : { 'accept-encoding': coding }
        const { fields: known } = await direct(path, coded)
        const { etag, 'last-modified': modified } = known
        t.equal(etag !== undefined, hasTag)
        for (const [title, fieldsOf] of cases) {
          const fields = { ...coded, ...fieldsOf({ etag: etag ?? '"none"', modified: modified ?? '' }) }
          for (const method of ['GET', 'HEAD'] as const) {
            if (method === 'HEAD' && 'range' in fields) continue // undefined in RFC 9110 §14.2, and nginx honours it
            const name = `${method} ${path} with ${title}${coding === '' ? '' : `, accepting ${coding}`}`
            count += 1
            const target = `${path}?${count}`
            const ask = async () => essence(await through(target, fields, method))
            const expected = essence(await direct(target, fields, method))
            const unknown = await ask()
            await through(target, coded)
            const stored = await ask()
            step(lifetimeSeconds + 1)
            const answers = { unknown, stored, stale: await ask(), again: await ask() }
            t.strictSame(answers, { unknown: expected, stored: expected, stale: expected, again: expected }, name)
          }
        }
      }
    }
  },
)

t.test('several ranges are answered like nginx does, or with the complete file', { skip }, async (t) => {
  const { nginx, direct, through } = await start(t)
  await nginx.write('/plain/a.txt', text)
  const fields = { range: 'bytes=0-1,10-12' }
  const parts = ({ body }: Answer) => body.toString().replace(/^--\w+/gm, '--')
  const expected = await direct('/plain/a.txt', fields)
  t.match(expected.fields, { 'content-type': /^multipart\/byteranges/ })
  const before = await through('/plain/a.txt', fields)
  t.equal(parts(before), parts(expected))
  await through('/plain/a.txt')
  const stored = await through('/plain/a.txt', fields)
  t.match(stored, { status: 200, body: Buffer.from(text) })
})

// --- revalidation ------------------------------------------------------------------------------------------------------------

for (const [place, coding] of [
  ['plain', ''],
  ['untagged', ''],
  ['static', 'gzip'],
  ['gzip', 'gzip'],
] as const) {
  const fields: Fields = coding === '' ? {} : { 'accept-encoding': coding }

  t.test(
    `a file that has not changed is confirmed, and served again without asking: /${place}/`,
    { skip },
    async (t) => {
      const { nginx, through, step, answered } = await start(t)
      const path = `/${place}/a.txt`
      await nginx.write(path, text)
      if (place === 'static') await nginx.write(`${path}.gz`, gzipSync(text))
      const first = await through(path, fields)
      for (let round = 0; round < 3; round += 1) {
        step(lifetimeSeconds + 1)
        for (const reason of [/fwd=stale; fwd-status=304; ttl=60; stored/, /hit; ttl=\d+$/]) {
          const again = await through(path, fields)
          t.match(again.fields['cache-status'], reason)
          t.strictSame(essence(again), essence(first))
        }
      }
      t.strictSame(await answered(4), [`GET ${path} 200`, ...Array(3).fill(`GET ${path} 304`)])
    },
  )

  t.test(`a changed file replaces the stored one: /${place}/`, { skip }, async (t) => {
    const { nginx, direct, through, step, answered } = await start(t)
    const path = `/${place}/a.txt`
    const write = async (content: string, changedAt: string) => {
      await nginx.write(path, content, changedAt)
      if (place === 'static') await nginx.write(`${path}.gz`, gzipSync(content), changedAt)
    }
    await write(text, '2026-02-02T10:00:00Z')
    const first = await through(path, fields)
    await write(text.replaceAll('line', 'ligne'), '2026-02-03T10:00:00Z')
    t.strictSame(essence(await through(path, fields)), essence(first), 'fresh is fresh')
    step(lifetimeSeconds + 1)
    const second = await through(path, fields)
    t.match(second.fields['cache-status'], /fwd=stale; fwd-status=200/)
    t.match(await through(path, fields), { fields: { 'cache-status': /hit/ }, body: second.body })
    await answered(2)
    t.strictSame(essence(second), essence(await direct(path, fields)))
    t.not(second.fields['last-modified'], first.fields['last-modified'])
  })
}

t.test('each encoding is stored and validated by itself', { skip }, async (t) => {
  const { nginx, direct, through, step, answered } = await start(t)
  await nginx.write('/static/a.txt', text)
  await nginx.write('/static/a.txt.gz', gzipSync(text))
  for (const round of [1, 2]) {
    for (const coding of ['gzip', 'identity']) {
      const expected = await direct('/static/a.txt', { 'accept-encoding': coding })
      for (const _ of [1, 2]) {
        t.strictSame(essence(await through('/static/a.txt', { 'accept-encoding': coding })), essence(expected))
      }
    }
    const cacheStatus = await answered(4)
    t.equal(cacheStatus.filter((line) => line.endsWith('304')).length, round === 1 ? 0 : 2)
    t.equal(cacheStatus.length, 4)
    step(lifetimeSeconds + 1)
  }
})

t.test('a removed file is a 404, and a restored one a 200', { skip }, async (t) => {
  const { nginx, through, step } = await start(t)
  await nginx.write('/plain/a.txt', text)
  t.equal((await through('/plain/a.txt')).status, 200)
  await nginx.remove('/plain/a.txt')
  step(lifetimeSeconds + 1)
  for (const _ of [1, 2]) t.match(await through('/plain/a.txt'), { status: 404, fields: { 'cache-status': /fwd=/ } })
  await nginx.write('/plain/a.txt', 'new')
  t.match(await through('/plain/a.txt'), { status: 200, body: Buffer.from('new') })
})

t.test('a stale file is served if nginx allows it, and the changed file after that', { skip }, async (t) => {
  const { nginx, through, step, answered } = await start(t)
  await nginx.write('/behind/a.txt', 'old')
  await through('/behind/a.txt')
  await nginx.write('/behind/a.txt', 'new', '2026-02-03T10:00:00Z')
  step(2)
  t.match(await through('/behind/a.txt'), {
    body: Buffer.from('old'),
    fields: { 'cache-status': /stale-while-revalidate/ },
  })
  t.strictSame(await answered(2), ['GET /behind/a.txt 200', 'GET /behind/a.txt 200'])
  t.ok(await until(async () => (await through('/behind/a.txt')).body.toString() === 'new'))
})
