import { trim } from '../http/fields.js'

/** Response fields with the tags of a response, for caches in front. */
export type TagHeader = 'Surrogate-Key' | 'Cache-Tag' | 'Edge-Cache-Tag'

/** Separator and limits of the field: beyond them, CDNs silently drop tags. */
const limits: Readonly<Record<TagHeader, { separator: string; count: number; bytes: number }>> = {
  'Surrogate-Key': { separator: ' ', count: 256, bytes: 16_384 },
  'Cache-Tag': { separator: ',', count: 256, bytes: 16_384 },
  'Edge-Cache-Tag': { separator: ',', count: 128, bytes: 16_384 },
}

/**
 * The tags as the value of the field; `undefined` if they exceed its limits: a CDN that could not purge the response must not store
 * it.
 */
export function formatTags(header: TagHeader, tags: readonly string[]): string | undefined {
  const { separator, count, bytes } = limits[header]
  const value = tags.map(asToken).join(separator)
  return tags.length <= count && value.length <= bytes ? value : undefined
}

/** Tags in a value of the field. */
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

/** Percent-encodes what a field cannot contain, and what would split the tag. */
function asToken(tag: string): string {
  return tag.replace(/[^!#-+.-~-]/gu, (character) =>
    Array.from(Buffer.from(character), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )
}
