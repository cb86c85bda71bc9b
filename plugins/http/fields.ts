/** The lines of one header field: several where it was repeated. */
export type FieldLines = string | readonly string[]

/** Header fields by lower-case name; repeated lines are kept apart. */
export type Fields = Readonly<Record<string, FieldLines>>

export function headerValues(field: FieldLines | undefined): readonly string[] {
  if (field === undefined) return []
  if (typeof field === 'string') return [field]
  return Array.isArray(field) ? field : [String(field)] // validation makes numbers of some request fields
}

/** A field of these lines, a plain text where there is only one. */
export function joinValues(lines: readonly string[]): FieldLines {
  const [line, ...others] = lines
  return line !== undefined && others.length === 0 ? line : lines
}

/** The field of a name that somebody else chose: `constructor`, which all objects have, may be one. */
export function ownField(fields: Fields, name: string): FieldLines | undefined {
  return Object.hasOwn(fields, name) ? fields[name] : undefined
}

/** The one line of a field that is no list; `undefined` when it is missing or repeated. */
export function singleValue(field: FieldLines | undefined): string | undefined {
  const [line, ...others] = headerValues(field)
  return others.length === 0 ? line : undefined
}

/** Members of a comma-separated list, over all lines; a comma inside a quoted string parts nothing. RFC 9110 §5.6.1. */
export function listMembers(field: FieldLines | undefined): string[] {
  return headerValues(field).flatMap((line) =>
    (line.includes('"') ? splitQuoted(line) : line.split(',')).map(trim).filter(Boolean),
  )
}

function splitQuoted(line: string): string[] {
  const members: string[] = []
  let start = 0
  let isQuoted = false
  for (let at = 0; at < line.length; at++) {
    const character = line[at]
    if (isQuoted && character === '\\') at++
    else if (character === '"') isQuoted = !isQuoted
    else if (character === ',' && !isQuoted) {
      members.push(line.slice(start, at))
      start = at + 1
    }
  }
  members.push(line.slice(start))
  return members
}

/** Without the white space that HTTP allows around things; `trim` of JavaScript takes more away. */
export function trim(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '')
}

/** Fields that are about one connection, not about the message. RFC 9110 §7.6.1, RFC 9111 §3.1. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Whether a field ends here: one of every connection's own, or one that `Connection` names. */
export function isHopByHop(name: string, connection: FieldLines | undefined): boolean {
  return hopByHop.has(name) || listMembers(connection).some((option) => option.toLowerCase() === name)
}
