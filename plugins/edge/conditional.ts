import { createHash } from 'node:crypto'

/** A strong entity-tag that changes with any byte of the representation. RFC 9110 §8.8.3. */
export function entityTagOf(representation: string | Uint8Array): string {
  return `"${createHash('sha256').update(representation).digest('base64url').slice(0, 27)}"`
}

/** The opaque part of each entity-tag in a list; what stands between them is not looked at. */
const opaqueTags = /(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g

/**
 * Whether the client's `If-None-Match` names the entity-tag, so that it has the representation already. The comparison
 * is weak, as RFC 9110 §13.1.2 has it, and `*` matches whatever there is.
 */
export function isNotModified(ifNoneMatch: string | undefined, entityTag: string): boolean {
  if (ifNoneMatch === undefined) return false
  if (ifNoneMatch.trim() === '*') return true
  const ours = entityTag.replace(/^W\//, '')
  return Array.from(ifNoneMatch.matchAll(opaqueTags), ([, opaque]) => opaque).includes(ours)
}
