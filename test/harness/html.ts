/** A start tag with its attributes, decoded. */
export interface Tag {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  /** Text between this tag and the next one, decoded. */
  readonly text: string
}

const tagSyntax = /<([a-z][\w-]*)((?:\s+[^\s=>"'/]+(?:=(?:"[^"]*"|'[^']*'|[^\s"'>]*))?)*)\s*\/?>([^<]*)/gi
const attributeSyntax = /([^\s=>"'/]+)(?:=(?:"([^"]*)"|'([^']*)'|([^\s"'>]*)))?/g

/** All start tags of a page, parsed like a browser does. */
export function tagsOf(html: string): Tag[] {
  return [...html.matchAll(tagSyntax)].map(([, name = '', inside = '', text = '']) => ({
    name: name.toLowerCase(),
    attributes: Object.fromEntries(
      [...inside.matchAll(attributeSyntax)].map(([, attribute = '', ...values]) => [
        attribute.toLowerCase(),
        decode(values.find((value) => value !== undefined) ?? ''),
      ]),
    ),
    text: decode(text).trim(),
  }))
}

function decode(text: string): string {
  const characters: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }
  return text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => characters[name] ?? '')
}

export function find(html: string, accepts: (tag: Tag) => boolean): Tag {
  const tag = tagsOf(html).find(accepts)
  if (tag === undefined) throw new Error('tag not found')
  return tag
}

export function byId(html: string, id: string): Tag {
  return find(html, ({ attributes }) => attributes.id === id)
}

export function hasId(html: string, id: string): boolean {
  return tagsOf(html).some(({ attributes }) => attributes.id === id)
}

export function isPage(html: string): boolean {
  return /^<!doctype html>\s*<html/i.test(html) && /<\/html>\s*$/i.test(html)
}

export function headersIn(vary: unknown): string[] {
  return String(vary ?? '')
    .toLowerCase()
    .split(/\s*,\s*/)
}

/** The seller names or event titles that a panel lists. */
export function rowNames(html: string): string[] {
  return tagsOf(html)
    .filter(({ attributes }) => attributes.class === 'row-name')
    .map(({ text }) => text)
}
