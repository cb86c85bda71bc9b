// The cost of each parser of text that clients send, for the worst text of several kinds: of 15 kB, because Node accepts 16 kB
// of header fields in all, and of 500 bytes, about the longest text that is parsed. Method: the compiled functions, the median of 25 calls
// after 5 warm-up calls.
import { hash } from 'node:crypto'
import { isNotModified } from '../plugins/dist/http/conditional.js'
import { acceptedCodings } from '../plugins/dist/http/encoding.js'
import { parseHttpDate } from '../plugins/dist/http/http-date.js'
import { rangeOf } from '../plugins/dist/http/range.js'
import { requestDirectivesOf } from '../plugins/dist/http/request-directives.js'
import { connectionListsFields, forwardedFields, hasNoStore } from '../plugins/dist/http/request-fields.js'
import { keyedFields } from '../plugins/dist/http/vary.js'
import { matchingTag } from '../plugins/dist/responses/render.js'
import { median } from './cache-kit.js'

const maxMs = 0.1
const etag = '"0123456789abcdefghijklmnopq"'
const now = Date.now()

/** Texts of a size; the number differs from call to call, so that nothing is remembered. */
function textsOf(bytes) {
  const repeated = (text) => text.repeat(Math.floor(bytes / text.length))
  return {
    members: (n) => `${n},${repeated('a,')}`,
    'empty members': (n) => `${n}${repeated(',')}`,
    blanks: (n) => `${n}${repeated(' ')}a`,
    'blanks in members': (n) => `${n},${repeated(`${' '.repeat(100)}a,`)}`,
    tags: (n) => `"${n}", ${repeated(`${etag.slice(0, -1)}x", `)}`,
    'tags without end': (n) => `"${n}${repeated('\\"')}`,
    weights: (n) => `br;q=0.${n}, ${repeated('gzip;q=0.1, ')}`,
    parameters: (n) => `br${repeated(';q')}${n}`,
    directives: (n) => `max-age=${n}, ${repeated('max-age="1", ')}`,
    digits: (n) => `bytes=${n}${repeated('1')}-`,
    one: (n) => `${n}${repeated('a')}`,
  }
}

const validators = { etag, modifiedAt: now, compresses: true }
const many = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`x-${index}`, 'a']))
const parsers = {
  'accept, key': (text) => keyedFields({ accept: text }, new Map()),
  'accept-language, key': (text) => keyedFields({ 'accept-language': text }, new Map()),
  'accept-encoding, key': (text) => keyedFields({ 'accept-encoding': text }, new Map()),
  'accept-encoding, coding of a hit': (text) => acceptedCodings(text),
  'if-none-match of a hit': (text) => matchingTag(validators, { 'if-none-match': text }, now),
  'if-none-match, not compressed': (text) => isNotModified({ 'if-none-match': text }, validators, now),
  'if-modified-since': (text) => parseHttpDate(text, now),
  range: (text) => rangeOf(text, 1_000),
  'cache-control, directives': (text) => requestDirectivesOf({ 'cache-control': text }),
  'cache-control, no-store': (text) => hasNoStore({ 'cache-control': text }),
  'connection, 60 other fields': (text) => forwardedFields({ ...many, connection: text }),
  'connection of a hit': (text) => connectionListsFields(text),
  'digest of a key': (text) => hash('sha256', text, 'base64url'),
}

const kinds = [15_000, 480].flatMap((bytes) =>
  Object.entries(textsOf(bytes)).map(([kind, textOf]) => ({ kind: `${bytes} bytes of ${kind}`, textOf })),
)
for (const [parser, parse] of Object.entries(parsers)) {
  const costs = kinds.map(({ kind, textOf }) => ({ kind, ms: medianMs(textOf, parse) }))
  const worst = costs.reduce((a, b) => (a.ms > b.ms ? a : b))
  const verdict = worst.ms < maxMs ? 'ok' : 'MISS'
  console.log(`${parser.padEnd(34)} ${worst.ms.toFixed(4)} ms with ${worst.kind} (< ${maxMs} ms) ${verdict}`)
}

function medianMs(textOf, parse) {
  const times = []
  for (let n = 0; n < 30; n += 1) {
    const text = textOf(n)
    Buffer.from(text) // makes one string of its parts, as Node does
    const start = performance.now()
    parse(text)
    if (n >= 5) times.push(performance.now() - start)
  }
  return median(times)
}
