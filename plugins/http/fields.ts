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
  const members: string[] = []
  const add = (member: string) => {
    const trimmed = trim(member)
    if (trimmed !== '') members.push(trimmed)
  }
  for (const line of headerValues(field)) {
    if (line.includes('"')) splitQuoted(line, add)
    else if (line.includes(',')) line.split(',').forEach(add)
    else add(line)
  }
  return members
}

function splitQuoted(line: string, add: (member: string) => void): void {
  let start = 0
  let isQuoted = false
  for (let at = 0; at < line.length; at++) {
    const character = line[at]
    if (isQuoted && character === '\\') at++
    else if (character === '"') isQuoted = !isQuoted
    else if (character === ',' && !isQuoted) {
      add(line.slice(start, at))
      start = at + 1
    }
  }
  add(line.slice(start))
}

/** Removes the optional white space of HTTP; `trim` of JavaScript removes more. A pattern would take quadratic time for long blanks. */
export function trim(text: string): string {
  let [start, end] = [0, text.length]
  while (start < end && isBlank(text.charCodeAt(start))) start += 1
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1
  return text.slice(start, end)
}

function isBlank(character: number): boolean {
  return character === 0x20 || character === 0x09
}

/** Longer values than this of a field that clients send are not parsed: they are cheap to send, and no known client sends them. */
const maxParsedLength = 512

/** Whether a value of a client is too long to be parsed. */
export function isTooLongToParse(field: FieldLines | undefined): boolean {
  return headerValues(field).reduce((sum, line) => sum + line.length, 0) > maxParsedLength
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

/** Tells which fields are not forwarded: those of the connection, and those that `Connection` lists, which is parsed once. */
export function hopByHopFilter(connection: FieldLines | undefined): (name: string) => boolean {
  if (connection === undefined || isTooLongToParse(connection)) return (name) => hopByHop.has(name)
  const listed = new Set(listMembers(connection).map((option) => option.toLowerCase()))
  return (name) => hopByHop.has(name) || listed.has(name)
}
