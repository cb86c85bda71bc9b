/** The lines of one header field: several where it was repeated. */
export type FieldLines = string | readonly string[]

/** Header fields by lower-case name; repeated lines are separate. */
export type Fields = Readonly<Record<string, FieldLines>>

export function headerValues(field: FieldLines | undefined): readonly string[] {
  if (field === undefined) return []
  if (typeof field === 'string') return [field]
  return Array.isArray(field) ? field : [String(field)] // validation converts some request fields to numbers
}

/** A field with these lines: a string if there is only one. */
export function joinValues(lines: readonly string[]): FieldLines {
  const [line, ...others] = lines
  return line !== undefined && others.length === 0 ? line : lines
}

/** The field of a name that a client or server chose, which may be `constructor` or another property of all objects. */
export function ownField(fields: Fields, name: string): FieldLines | undefined {
  return Object.hasOwn(fields, name) ? fields[name] : undefined
}

/** The line of a field that is no list; `undefined` if it is missing or repeated. */
export function singleValue(field: FieldLines | undefined): string | undefined {
  const [line, ...others] = headerValues(field)
  return others.length === 0 ? line : undefined
}

/** Members of a comma-separated list, over all lines; a comma inside a quoted string does not separate. RFC 9110 §5.6.1. */
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

/** Removes the optional white space of HTTP; `trim` of JavaScript removes more. */
export function trim(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '')
}

/** Fields of one connection, not of the message. RFC 9110 §7.6.1, RFC 9111 §3.1. */
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

/** Whether a field is not forwarded: it is of the connection, or listed by `Connection`. */
export function isHopByHop(name: string, connection: FieldLines | undefined): boolean {
  return hopByHop.has(name) || listMembers(connection).some((option) => option.toLowerCase() === name)
}
