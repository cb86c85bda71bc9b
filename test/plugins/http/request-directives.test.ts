import t from 'tap'
import type { Fields } from '../../../plugins/http/fields.js'
import { type RequestDirectives, requestDirectivesOf } from '../../../plugins/http/request-directives.js'
import { hasNoStore } from '../../../plugins/http/request-fields.js'

const nothing: RequestDirectives = {
  noCache: false,
  onlyIfCached: false,
  maxAgeSeconds: undefined,
  minFreshSeconds: undefined,
  maxStaleSeconds: undefined,
}

interface Case {
  readonly name: string
  readonly fields: Fields
  /** The expected directives. All others are unset. */
  readonly expected: Partial<RequestDirectives>
}

const says = (directives: string): Fields => ({ 'cache-control': directives })

t.test('the request directives of RFC 9111 §5.2.1 are parsed', async (t) => {
  const cases: Case[] = [
    { name: 'no directives', fields: {}, expected: {} },
    { name: 'no-cache (§5.2.1.4)', fields: says('no-cache'), expected: { noCache: true } },
    { name: 'only-if-cached (§5.2.1.7)', fields: says('only-if-cached'), expected: { onlyIfCached: true } },
    { name: 'max-age (§5.2.1.1)', fields: says('max-age=60'), expected: { maxAgeSeconds: 60 } },
    { name: 'max-age of 0', fields: says('max-age=0'), expected: { maxAgeSeconds: 0 } },
    { name: 'min-fresh (§5.2.1.3)', fields: says('min-fresh=60'), expected: { minFreshSeconds: 60 } },
    { name: 'max-stale (§5.2.1.2)', fields: says('max-stale=60'), expected: { maxStaleSeconds: 60 } },
    { name: 'max-stale of 0', fields: says('max-stale=0'), expected: { maxStaleSeconds: 0 } },
    {
      name: 'max-stale without a number: any age',
      fields: says('max-stale'),
      expected: { maxStaleSeconds: Number.POSITIVE_INFINITY },
    },
    {
      name: 'several',
      fields: says('max-age=0, max-stale=5, min-fresh=1, no-cache, only-if-cached'),
      expected: { maxAgeSeconds: 0, maxStaleSeconds: 5, minFreshSeconds: 1, noCache: true, onlyIfCached: true },
    },
    {
      name: 'on several lines',
      fields: { 'cache-control': ['max-age=0', 'only-if-cached'] },
      expected: { maxAgeSeconds: 0, onlyIfCached: true },
    },
    { name: 'in any case', fields: says('No-Cache, MAX-AGE=5'), expected: { noCache: true, maxAgeSeconds: 5 } },
    { name: 'the first of two', fields: says('max-age=5, max-age=60'), expected: { maxAgeSeconds: 5 } },
    {
      name: 'in quotes',
      fields: says('max-age="60", max-stale="5"'),
      expected: { maxAgeSeconds: 60, maxStaleSeconds: 5 },
    },
    { name: 'beyond 2^31', fields: says('max-age=99999999999'), expected: { maxAgeSeconds: 2 ** 31 } },
  ]
  for (const { name, fields, expected } of cases) {
    t.strictSame(requestDirectivesOf(fields), { ...nothing, ...expected }, name)
  }
})

t.test('unknown directives and invalid numbers are ignored (RFC 9111 §5.2.3)', async (t) => {
  const cases: { name: string; field: string }[] = [
    { name: 'an empty field', field: '' },
    { name: 'response directives', field: 's-maxage=0, must-revalidate, private, public' },
    { name: 'no-transform', field: 'no-transform' },
    { name: 'no-store, which is about storing', field: 'no-store' },
    { name: 'an unknown one', field: 'no-cached' },
    { name: 'max-age without a number', field: 'max-age' },
    { name: 'a word', field: 'max-age=never' },
    { name: 'a negative number', field: 'max-age=-1, min-fresh=-1, max-stale=-1' },
    { name: 'a fraction', field: 'max-age=1.5, min-fresh=1.5, max-stale=1.5' },
    { name: 'single quotes', field: "max-age='0'" },
    { name: 'white space around =', field: 'max-age = 0, min-fresh= 5' },
    { name: 'an empty argument of max-stale', field: 'max-stale=' },
    { name: 'empty quotes', field: 'max-stale=""' },
    { name: 'directives inside the quotes of another', field: 'x="no-cache, max-age=0"' },
  ]
  for (const { name, field } of cases) t.strictSame(requestDirectivesOf(says(field)), nothing, name)
})

t.test('Pragma: no-cache applies without Cache-Control (RFC 9111 §5.4)', async (t) => {
  const cases: Case[] = [
    { name: 'alone', fields: { pragma: 'no-cache' }, expected: { noCache: true } },
    {
      name: 'with Cache-Control',
      fields: { pragma: 'no-cache', ...says('max-age=5') },
      expected: { maxAgeSeconds: 5 },
    },
    { name: 'with an empty Cache-Control', fields: { pragma: 'no-cache', ...says('') }, expected: {} },
    { name: 'another pragma', fields: { pragma: 'x' }, expected: {} },
  ]
  for (const { name, fields, expected } of cases) {
    t.strictSame(requestDirectivesOf(fields), { ...nothing, ...expected }, name)
  }
})

t.test('a Cache-Control that is too long to be parsed may forbid anything', async (t) => {
  const fields = { 'cache-control': 'max-age=1, '.repeat(100) }
  t.equal(requestDirectivesOf(fields).noCache, true)
  t.equal(hasNoStore(fields), true)
})
