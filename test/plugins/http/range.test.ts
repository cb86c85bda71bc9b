import t from 'tap'
import { rangeOf } from '../../../plugins/http/range.js'

const length = 10

interface Case {
  readonly name: string
  readonly range: string
  readonly of?: number
  readonly expected: readonly [number, number]
}

t.test('a range includes its first and last byte (RFC 9110 §14.1.2)', async (t) => {
  const cases: Case[] = [
    { name: 'bytes in the middle', range: 'bytes=2-5', expected: [2, 5] },
    { name: 'the first byte', range: 'bytes=0-0', expected: [0, 0] },
    { name: 'the last byte', range: 'bytes=9-9', expected: [9, 9] },
    { name: 'all bytes', range: 'bytes=0-9', expected: [0, 9] },
    { name: 'a last byte past the end', range: 'bytes=5-10', expected: [5, 9] },
    { name: 'far past the end', range: 'bytes=5-99999999999999999999', expected: [5, 9] },
    { name: 'beyond the range of a double', range: `bytes=5-${'9'.repeat(400)}`, expected: [5, 9] },
    { name: 'without a last byte, to the end', range: 'bytes=3-', expected: [3, 9] },
    { name: 'from the first byte', range: 'bytes=0-', expected: [0, 9] },
    { name: 'leading zeros', range: 'bytes=002-005', expected: [2, 5] },
    { name: 'the unit in any case (§14.1)', range: 'Bytes=2-5', expected: [2, 5] },
    { name: 'surrounding white space', range: 'bytes= 2-5\t', expected: [2, 5] },
    { name: 'of a single byte', range: 'bytes=0-5', of: 1, expected: [0, 0] },
  ]
  for (const { name, range, of = length, expected } of cases) {
    t.strictSame(rangeOf(range, of), { first: expected[0], last: expected[1] }, name)
  }
})

t.test('a suffix range selects bytes at the end, at most all (RFC 9110 §14.1.2)', async (t) => {
  const cases: Case[] = [
    { name: 'the last byte', range: 'bytes=-1', expected: [9, 9] },
    { name: 'several bytes', range: 'bytes=-4', expected: [6, 9] },
    { name: 'all bytes', range: 'bytes=-10', expected: [0, 9] },
    { name: 'one more than all', range: 'bytes=-11', expected: [0, 9] },
    { name: 'far more than all', range: `bytes=-${'9'.repeat(400)}`, expected: [0, 9] },
  ]
  for (const { name, range, of = length, expected } of cases) {
    t.strictSame(rangeOf(range, of), { first: expected[0], last: expected[1] }, name)
  }
})

t.test('a range past the end or of 0 bytes is not satisfiable (RFC 9110 §14.1.2)', async (t) => {
  const cases = [
    { name: 'it begins at the end', range: 'bytes=10-' },
    { name: 'it begins and ends past the end', range: 'bytes=10-20' },
    { name: 'far past the end', range: 'bytes=99999999999999999999-' },
    { name: 'a suffix of 0', range: 'bytes=-0' },
    { name: 'a suffix of 0 in more digits', range: 'bytes=-000' },
    { name: 'the first byte of an empty representation', range: 'bytes=0-', of: 0 },
    { name: 'the first to the last byte of it', range: 'bytes=0-0', of: 0 },
    { name: 'a suffix of 0 of it', range: 'bytes=-0', of: 0 },
  ]
  for (const { name, range, of = length } of cases) t.equal(rangeOf(range, of), 'unsatisfiable', name)
})

t.test(
  'a suffix of an empty representation is satisfiable, but sent without a range (RFC 9110 §14.1.2, §14.4)',
  async (t) => {
    t.equal(rangeOf('bytes=-1', 0), undefined)
    t.equal(rangeOf('bytes=-500', 0), undefined)
  },
)

t.test('malformed ranges, other units and several ranges are ignored (RFC 9110 §14.2)', async (t) => {
  const cases = [
    { name: 'an empty field', range: '' },
    { name: 'no range', range: 'bytes' },
    { name: 'an empty range', range: 'bytes=' },
    { name: 'neither first nor last', range: 'bytes=-' },
    { name: 'a last before the first', range: 'bytes=5-2' },
    { name: 'a last one byte before the first', range: 'bytes=5-4' },
    { name: 'a last before the first, both past the end', range: 'bytes=20-10' },
    { name: 'a number alone', range: 'bytes=5' },
    { name: 'another unit', range: 'lines=0-1' },
    { name: 'a longer unit', range: 'bytes2=0-1' },
    { name: 'no unit', range: '0-1' },
    { name: 'two ranges', range: 'bytes=0-1,4-5' },
    { name: 'two ranges that overlap', range: 'bytes=0-5, 4-9' },
    { name: 'a range and a suffix', range: 'bytes=0-1, -1' },
    { name: 'the same twice', range: 'bytes=0-1, 0-1' },
    { name: 'negative numbers', range: 'bytes=-5--1' },
    { name: 'a sign', range: 'bytes=+1-5' },
    { name: 'a fraction', range: 'bytes=1.5-5' },
    { name: 'another base', range: 'bytes=0x1-0x5' },
    { name: 'white space inside', range: 'bytes=1 - 5' },
    { name: 'white space around =', range: 'bytes =1-5' },
    { name: 'leading white space', range: ' bytes=1-5' },
    { name: 'a colon', range: 'bytes: 1-5' },
    { name: 'a length, as in Content-Range', range: 'bytes 1-5/10' },
    { name: 'a line feed', range: 'bytes=1-5\n' },
    { name: 'digits of another script', range: 'bytes=١-٥' },
  ]
  for (const { name, range } of cases) t.equal(rangeOf(range, length), undefined, name)
})
