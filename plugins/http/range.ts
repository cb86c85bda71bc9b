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
    if (Number(last) === 0) return 'unsatisfiable'
    // of nothing it is satisfiable, but there is no part that a 206 could name
    return length === 0 ? undefined : { first: Math.max(0, length - Number(last)), last: length - 1 }
  }
  if (last !== '' && Number(last) < Number(first)) return undefined
  if (Number(first) >= length) return 'unsatisfiable'
  return { first: Number(first), last: Math.min(last === '' ? length - 1 : Number(last), length - 1) }
}
