import t from 'tap'
import { byName } from '../../../plugins/responses/head.js'
import { type AnswerOptions, answerFrom } from '../../../plugins/responses/render.js'
import type { StoredResponse, StoredResponseFields } from '../../../plugins/responses/stored-response.js'
import { createStoredResponse } from '../../harness/stored-response.js'

const now = Date.parse('2026-11-25T12:00:00Z')
const modified = new Date(now - 100_000).toUTCString()

function stored(parts: Partial<StoredResponseFields> = {}): StoredResponse {
  const until = now + 52_500
  return createStoredResponse(now, {
    fields: { 'content-type': 'text/plain', etag: '"a"', 'last-modified': modified, 'x-list': ['1', '2'] },
    body: Buffer.from('0123456789'),
    bornAt: now - 7_500,
    instants: { freshUntil: until, revalidateUntil: until, staleUntil: until },
    ...parts,
  })
}

function answer(fields: AnswerOptions['fields'], parts: Partial<AnswerOptions> = {}) {
  const { status, head, body } = answerFrom({
    stored: stored(),
    method: 'GET',
    fields,
    now,
    formatStatus: (ttl) => `V; hit; ttl=${ttl}`,
    timing: undefined,
    isHeadReused: false,
    onEncoded: () => undefined,
    ...parts,
  })
  return { status, fields: byName(head.lines), body: body?.toString() }
}

t.test('a 200 has the age, the length and all stored fields', async (t) => {
  const whole = answer({})
  t.match(whole, { status: 200, body: '0123456789' })
  t.match(whole.fields, {
    age: '7',
    'content-length': '10',
    'cache-status': 'V; hit; ttl=53',
    'x-list': ['1', '2'],
    date: new Date(now).toUTCString(),
  })
})

t.test('HEAD has the fields and no body', async (t) => {
  t.match(answer({}, { method: 'HEAD' }), { status: 200, body: undefined, fields: { 'content-length': '10' } })
})

t.test('a 304 has the required fields and none about the content (RFC 9110 §15.4.5)', async (t) => {
  const { status, body, fields } = answer({ 'if-none-match': 'W/"a"' })
  t.equal(status, 304)
  t.equal(body, undefined)
  t.match(fields, { etag: '"a"', age: '7', 'cache-status': /hit/ })
  for (const name of ['content-length', 'content-type', 'last-modified']) t.notOk(name in fields, name)
})

t.test('conditions and ranges apply only to a stored 200', async (t) => {
  const gone = stored({ status: 404 })
  t.equal(answer({ 'if-none-match': '"a"' }, { stored: gone }).status, 404)
  t.equal(answer({ range: 'bytes=0-1' }, { stored: gone }).status, 404)
})

t.test('a range request receives one part (RFC 9110 §14)', async (t) => {
  t.match(answer({ range: 'bytes=2-4' }), {
    status: 206,
    body: '234',
    fields: { 'content-range': 'bytes 2-4/10', 'content-length': '3' },
  })
  t.match(answer({ range: 'bytes=10-' }), { status: 416, fields: { 'content-range': 'bytes */10' } })
  t.equal(answer({ range: 'bytes=2-4', 'if-range': '"b"' }).status, 200)
  t.equal(answer({ range: 'bytes=2-4', 'if-range': '"a"' }).status, 206)
  t.equal(answer({ range: 'bytes=2-4', 'if-range': modified }).status, 206)
  t.equal(answer({ range: 'bytes=2-4' }, { method: 'HEAD' }).status, 200)
})

t.test('each generated coding has its own entity-tag, which conditions match', async (t) => {
  const body = Buffer.from('seller '.repeat(500))
  const page = stored({ body, compresses: true })
  const asked = { 'accept-encoding': 'gzip' }
  const first = answer(asked, { stored: page })
  t.notOk('content-encoding' in first.fields, 'identity until it is encoded')
  await new Promise<void>((resolve) => {
    if (page.coded('br', resolve) !== undefined) resolve()
  })
  while (page.coded('gzip', () => undefined) === undefined) await new Promise(setImmediate)
  const { fields } = answer(asked, { stored: page })
  t.match(fields, { 'content-encoding': 'gzip', etag: '"a-gzip"' })
  for (const tag of ['"a"', '"a-gzip"', 'W/"a-gzip"', '"a-br"', '"x", "a-br"', '*']) {
    t.equal(answer({ 'if-none-match': tag }, { stored: page }).status, 304, tag)
  }
  t.equal(answer({ 'if-none-match': '"a-br"' }, { stored: page }).fields.etag, '"a-br"', 'the tag of the request')
  for (const tag of ['"b-gzip"', '"a-gzip-gzip"', 'a']) {
    t.equal(answer({ 'if-none-match': tag }, { stored: page }).status, 200, tag)
  }
})

t.test('the browser TTL is added to the age, up to the lifetime', async (t) => {
  const ours = stored({ browserTtlSeconds: 5 })
  t.equal(answer({}, { stored: ours }).fields['cache-control'], 'max-age=12')
  t.equal(answer({}, { stored: ours, now: now + 52_000 }).fields['cache-control'], 'max-age=60')
})

t.test('a 416 is not cacheable, whatever the fields of the stored response', async (t) => {
  const told = { 'cache-control': 'max-age=60', 'cdn-cache-control': 'max-age=60', expires: modified }
  for (const parts of [{ browserTtlSeconds: 5 }, { fields: told }, { browserTtlSeconds: 5, fields: told }]) {
    const { status, fields } = answer({ range: 'bytes=10-' }, { stored: stored(parts) })
    t.match({ status, control: fields['cache-control'] }, { status: 416, control: 'private, no-store' })
    t.notOk('cdn-cache-control' in fields || 'expires' in fields)
  }
})

t.test('a list of entity-tags that is too long to be parsed gets the complete response', async (t) => {
  const compressed = stored({ compresses: true })
  t.equal(answer({ 'if-none-match': '"b", "a-br"' }, { stored: compressed }).status, 304)
  t.equal(answer({ 'if-none-match': `"a-br", ${'"b", '.repeat(300)}` }, { stored: compressed }).status, 200)
})
