import { validateHeaderValue } from 'node:http'
import t from 'tap'
import {
  maxTagHeaderBytes,
  parseTags,
  type TagHeader,
  formatTags as withinBytes,
} from '../../../plugins/responses/tag-header.js'

const formatTags = (header: TagHeader, tags: readonly string[]) => withinBytes(header, tags, maxTagHeaderBytes)

const headers = ['Surrogate-Key', 'Cache-Tag', 'Edge-Cache-Tag'] as const

t.test('tags are separated as the CDN requires: by a space or a comma', async (t) => {
  t.equal(formatTags('Surrogate-Key', ['seller-1', 'panels']), 'seller-1 panels')
  t.equal(formatTags('Cache-Tag', ['seller-1', 'panels']), 'seller-1,panels')
  t.equal(formatTags('Edge-Cache-Tag', ['seller-1', 'panels']), 'seller-1,panels')
  for (const header of headers) t.equal(formatTags(header, ['seller:1/a']), 'seller:1/a', `${header}: a single one`)
})

t.test('a tag with separators remains one tag', async (t) => {
  const cases = [
    {
      name: 'letters, digits and most signs are themselves',
      tag: "aZ09!#$%&'()*+-./:;<=>?@[\\]^_`{|}~",
      expected: undefined,
    },
    { name: 'a space would part it', tag: 'a b', expected: 'a%20b' },
    { name: 'a comma would part it', tag: 'a,b', expected: 'a%2Cb' },
    { name: 'a tab would part it', tag: 'a\tb', expected: 'a%09b' },
    { name: 'quotes might', tag: 'a"b', expected: 'a%22b' },
    { name: 'letters outside ASCII are bytes of UTF-8', tag: 'é', expected: '%C3%A9' },
    { name: 'so are those beyond 16 bits', tag: '😀', expected: '%F0%9F%98%80' },
    { name: 'a white space outside ASCII', tag: 'a\u2003b', expected: 'a%E2%80%83b' },
    { name: 'half a character stands for one that cannot be shown', tag: '\ud83d', expected: '%EF%BF%BD' },
  ]
  for (const header of headers) {
    for (const { name, tag, expected = tag } of cases)
      t.equal(formatTags(header, [tag]), expected, `${header}: ${name}`)
  }
})

t.test('a tag cannot end the field or start another one (RFC 9110 §5.5)', async (t) => {
  const cases = [
    { name: 'a line feed', tag: 'a\nset-cookie: b', expected: 'a%0Aset-cookie:%20b' },
    { name: 'a carriage return', tag: 'a\rb', expected: 'a%0Db' },
    { name: 'both', tag: 'a\r\n\r\n<html>', expected: 'a%0D%0A%0D%0A<html>' },
    { name: 'a zero byte', tag: 'a\0b', expected: 'a%00b' },
    { name: 'the last control character', tag: 'a\x7fb', expected: 'a%7Fb' },
    { name: 'what would be a line feed if cut to a byte', tag: 'a\u010ab', expected: 'a%C4%8Ab' },
    { name: 'a line separator', tag: 'a\u2028b', expected: 'a%E2%80%A8b' },
  ]
  for (const header of headers) {
    for (const { name, tag, expected } of cases) t.equal(formatTags(header, [tag]), expected, `${header}: ${name}`)
    const everything = String.fromCharCode(...Array.from({ length: 1_024 }, (_, code) => code))
    const value = formatTags(header, [everything]) ?? ''
    t.doesNotThrow(() => validateHeaderValue(header, value), `${header}: what Node would not send`)
    t.match(value, /^[!-~]+$/, `${header}: all of it can be seen`)
    t.strictSame(parseTags(header, value), [value], `${header}: all of it is one tag`)
  }
})

t.test('above the limit of the CDN no tags are sent, as it would silently drop some', async (t) => {
  const tags = (count: number, length = 1) => Array.from({ length: count }, () => 'a'.repeat(length))
  const cases = [
    { name: 'as many as it takes', header: 'Surrogate-Key', given: tags(256), is: true },
    { name: 'one more', header: 'Surrogate-Key', given: tags(257), is: false },
    { name: 'as many as it takes', header: 'Cache-Tag', given: tags(256), is: true },
    { name: 'one more', header: 'Cache-Tag', given: tags(257), is: false },
    { name: 'as many as it takes', header: 'Edge-Cache-Tag', given: tags(128), is: true },
    { name: 'one more', header: 'Edge-Cache-Tag', given: tags(129), is: false },
  ] as const
  for (const { name, header, given, is } of cases)
    t.equal(formatTags(header, given) !== undefined, is, `${header}: ${name}`)
  for (const header of headers) {
    t.ok(withinBytes(header, tags(2, 10), 21), `${header}: as long as the given maximum`)
    t.equal(withinBytes(header, tags(2, 10), 20), undefined, `${header}: a byte longer than the given maximum`)
    t.ok(formatTags(header, tags(1, 16_384)), `${header}: as long as it takes`)
    t.equal(formatTags(header, tags(1, 16_385)), undefined, `${header}: a byte longer`)
    t.ok(formatTags(header, [...tags(127, 127), 'a'.repeat(128)]), `${header}: with what parts them`)
    t.equal(formatTags(header, [...tags(127, 127), 'a'.repeat(129)]), undefined, `${header}: and a byte more`)
    t.equal(formatTags(header, ['é'.repeat(2_731)]), undefined, `${header}: as they are written, not as they are given`)
  }
})

t.test('tags set by a handler are parsed in the format of the field', async (t) => {
  const cases = [
    { name: 'parted by a space', header: 'Surrogate-Key', value: 'a b', expected: ['a', 'b'] },
    { name: 'by several, and tabs', header: 'Surrogate-Key', value: ' a  b\tc ', expected: ['a', 'b', 'c'] },
    { name: 'a comma is part of a tag', header: 'Surrogate-Key', value: 'a,b c', expected: ['a,b', 'c'] },
    { name: 'an empty field', header: 'Surrogate-Key', value: '', expected: [] },
    { name: 'white space alone', header: 'Surrogate-Key', value: ' \t', expected: [] },
    { name: 'parted by a comma', header: 'Cache-Tag', value: 'a,b', expected: ['a', 'b'] },
    {
      name: 'white space between is no part of a tag',
      header: 'Cache-Tag',
      value: 'a , b,\tc',
      expected: ['a', 'b', 'c'],
    },
    {
      name: 'nor is it before the first and after the last',
      header: 'Cache-Tag',
      value: ' a, b\t',
      expected: ['a', 'b'],
    },
    { name: 'empty members', header: 'Cache-Tag', value: ',a,, ,b,', expected: ['a', 'b'] },
    { name: 'an empty field', header: 'Cache-Tag', value: '', expected: [] },
    { name: 'white space alone', header: 'Cache-Tag', value: ' ', expected: [] },
    { name: 'parted by a comma', header: 'Edge-Cache-Tag', value: 'a, b', expected: ['a', 'b'] },
  ] as const
  for (const { name, header, value, expected } of cases) {
    t.strictSame(parseTags(header, value), [...expected], `${header}: ${name}`)
  }
})

t.test('formatted tags are parsed to the same tags', async (t) => {
  for (const header of headers)
    t.strictSame(parseTags(header, formatTags(header, ['a', 'b:1']) ?? ''), ['a', 'b:1'], header)
})
