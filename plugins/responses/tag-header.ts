import { trim } from '../http/fields.js'

/** Response fields with the tags of a response, for caches in front. */
export type TagHeader = 'Surrogate-Key' | 'Cache-Tag' | 'Edge-Cache-Tag'

/** Bytes of the field that every CDN accepts. */
export const maxTagHeaderBytes = 16_384

/** Separator of the field, and how many tags CDNs read: they silently drop others. */
const formats: Readonly<Record<TagHeader, { separator: string; count: number }>> = {
  'Surrogate-Key': { separator: ' ', count: 256 },
  'Cache-Tag': { separator: ',', count: 256 },
  'Edge-Cache-Tag': { separator: ',', count: 128 },
}

/**
 * The tags as the value of the field; `undefined` if they exceed its limits: a CDN that could not purge the response must not store
 * it.
 */
export function formatTags(header: TagHeader, tags: readonly string[], maxBytes: number): string | undefined {
  const { separator, count } = formats[header]
  const value = tags.map(asToken).join(separator)
  return tags.length <= count && value.length <= maxBytes ? value : undefined
}

/** Tags in a value of the field. */
export function parseTags(header: TagHeader, value: string): string[] {
  const { separator } = formats[header]
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
