/**
 * A copy in memory of its own. `Buffer.from`, `Buffer.concat` and zlib return slices of larger buffers, which stay in memory as long as
 * the slice: 16 kB for a few hundred bytes.
 */
export function exactBytes(source: string | Uint8Array): Buffer {
  if (typeof source !== 'string') return concatExactly([source])
  const copy = Buffer.allocUnsafeSlow(Buffer.byteLength(source))
  copy.write(source)
  return copy
}

/** The chunks in one buffer, as above. */
export function concatExactly(chunks: readonly Uint8Array[]): Buffer {
  const copy = Buffer.allocUnsafeSlow(chunks.reduce((sum, { byteLength }) => sum + byteLength, 0))
  let at = 0
  for (const chunk of chunks) {
    copy.set(chunk, at)
    at += chunk.byteLength
  }
  return copy
}
