/** Bytes of a representation, both ends included. */
export interface ByteRange {
  readonly first: number
  readonly last: number
}

/**
 * The range of a request; `undefined` if the complete representation is to be sent: the field is malformed, of another unit, or lists
 * several ranges; 'unsatisfiable' if the representation has no such part. RFC 9110 §14.
 */
export function rangeOf(range: string, length: number): ByteRange | 'unsatisfiable' | undefined {
  const [, first = '', last = ''] = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(range) ?? []
  if (first === '' && last === '') return undefined
  if (first === '') {
    if (Number(last) === 0) return 'unsatisfiable'
    // an empty representation satisfies it, but has no part that a 206 could describe
    return length === 0 ? undefined : { first: Math.max(0, length - Number(last)), last: length - 1 }
  }
  if (last !== '' && Number(last) < Number(first)) return undefined
  if (Number(first) >= length) return 'unsatisfiable'
  return { first: Number(first), last: Math.min(last === '' ? length - 1 : Number(last), length - 1) }
}
