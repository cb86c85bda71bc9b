import { trim } from '../http/fields.js'

/** Fields by which caches in front learn the tags of a response. */
export type TagHeader = 'Surrogate-Key' | 'Cache-Tag' | 'Edge-Cache-Tag'

/** How an edge wants its tags parted, how many it takes and how long all may be: beyond, it drops some and says nothing. */
const limits: Readonly<Record<TagHeader, { separator: string; count: number; bytes: number }>> = {
  'Surrogate-Key': { separator: ' ', count: 256, bytes: 16_384 },
  'Cache-Tag': { separator: ',', count: 256, bytes: 16_384 },
  'Edge-Cache-Tag': { separator: ',', count: 128, bytes: 16_384 },
}

/**
 * The tags as a field for edges in front of this one; `undefined` when they are more than it would take: a response that
 * it could not purge must not be kept there.
 */
export function formatTags(header: TagHeader, tags: readonly string[]): string | undefined {
  const { separator, count, bytes } = limits[header]
  const value = tags.map(asToken).join(separator)
  return tags.length <= count && value.length <= bytes ? value : undefined
}

/** Tags that a handler has set itself, in the form of that field. */
export function parseTags(header: TagHeader, value: string): string[] {
  const { separator } = limits[header]
  return value
    .split(separator === ' ' ? /[ \t]/ : separator)
    .map(trim)
    .filter(Boolean)
}

export function isTag(tag: unknown): tag is string {
  return typeof tag === 'string' && /^(?!\*$)\S{1,128}$/.test(tag)
}

/** Without what no field can hold, or would part the tag in two. */
function asToken(tag: string): string {
  return tag.replace(/[^!#-+.-~-]/gu, (character) =>
    Array.from(Buffer.from(character), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )
}
