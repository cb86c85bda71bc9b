/** Bytes of a representation, both ends included. */
export interface ByteRange {
  readonly first: number
  readonly last: number
}

/**
 * The one part that `Range` asks for; `undefined` when the whole is to be sent, because the field is malformed, of another unit,
 * or asks for several parts; 'unsatisfiable' when there is no such part. RFC 9110 §14.
 */
export function rangeOf(range: string, length: number): ByteRange | 'unsatisfiable' | undefined {
  const [, first = '', last = ''] = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(range) ?? []
  if (first === '' && last === '') return undefined
  if (first === '') {
    const count = Math.min(Number(last), length)
    return count === 0 ? 'unsatisfiable' : { first: length - count, last: length - 1 }
  }
  if (last !== '' && Number(last) < Number(first)) return undefined
  if (Number(first) >= length) return 'unsatisfiable'
  return { first: Number(first), last: Math.min(last === '' ? length - 1 : Number(last), length - 1) }
}
