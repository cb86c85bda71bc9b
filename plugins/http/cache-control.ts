import { type BareItem, isInnerList, parseDictionary } from 'structured-headers'
import { type FieldLines, headerValues, listMembers } from './fields.js'

/** Cache directives by lower-case name, with their argument if they have one. Of contradictory ones the first counts. */
export type Directives = ReadonlyMap<string, string | undefined>

/** 2^31 seconds, which also represents every larger number. RFC 9111 §1.2.2. */
const maxDeltaSeconds = 2 ** 31

const directive = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:=(.*))?$/s
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** The directives of `Cache-Control`; invalid ones are ignored. RFC 9111 §5.2. */
export function parseDirectives(field: FieldLines | undefined): Directives {
  const directives = new Map<string, string | undefined>()
  for (const member of listMembers(field)) {
    const [, written, given] = directive.exec(member) ?? []
    if (written === undefined) continue
    const name = written.toLowerCase()
    const argument = given === undefined ? undefined : fieldListArgument(name, unquote(given))
    if (!directives.has(name)) directives.set(name, argument)
    else if (takesFieldList(name)) directives.set(name, joinArguments(directives.get(name), argument))
  }
  return directives
}

/** Directives whose argument limits them to some fields; without one they apply to the complete response. */
function takesFieldList(name: string): boolean {
  return name === 'no-cache' || name === 'private'
}

/** The argument; none where it should list fields but is empty or malformed, so that the directive applies to the complete response. */
function fieldListArgument(name: string, argument: string): string | undefined {
  if (!takesFieldList(name)) return argument
  const fields = listMembers(argument)
  return fields.length > 0 && fields.every((field) => token.test(field)) ? argument : undefined
}

function joinArguments(one: string | undefined, other: string | undefined): string | undefined {
  return one === undefined || other === undefined ? undefined : `${one}, ${other}`
}

function unquote(argument: string): string {
  const [, quoted] = /^"((?:[^"\\]|\\.)*)"$/s.exec(argument) ?? []
  return quoted === undefined ? argument : quoted.replace(/\\(.)/gs, '$1')
}

/**
 * The directives of a targeted field such as `CDN-Cache-Control`, a structured dictionary; `undefined` if it is missing, empty or
 * malformed, which count alike. RFC 9213 §2.1.
 */
export function parseTargeted(field: FieldLines | undefined): Directives | undefined {
  const lines = headerValues(field)
  if (lines.length === 0) return undefined
  try {
    const dictionary = parseDictionary(lines.join(', '))
    const directives = new Map<string, string | undefined>()
    for (const [name, item] of dictionary) {
      const value = isInnerList(item) ? '' : item[0]
      // `?0` revokes the directive
      if (value !== false)
        directives.set(name, value === true ? undefined : fieldListArgument(name, argumentOf(name, value)))
    }
    return dictionary.size === 0 ? undefined : directives
  } catch {
    return undefined
  }
}

/** Directives in seconds require a number: an argument of another type is invalid. */
function argumentOf(name: string, value: BareItem): string {
  const isSeconds = name.startsWith('stale-') || name.endsWith('max-age') || name === 's-maxage'
  return isSeconds && typeof value !== 'number' ? '' : String(value)
}

/** The seconds of a directive; `undefined` if it is missing, 'invalid' if its argument is no number. RFC 9111 §1.2.2. */
export function secondsOf(directives: Directives, name: string): number | 'invalid' | undefined {
  if (!directives.has(name)) return undefined
  return deltaSeconds(directives.get(name)) ?? 'invalid'
}

/** A number of seconds in plain digits, at most 2^31. */
export function deltaSeconds(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Math.min(Number(text), maxDeltaSeconds) : undefined
}

/** Fields that a directive's argument lists, in lower case; `undefined` if it applies to the complete response. */
export function fieldsListedBy(directives: Directives, name: string): string[] | undefined {
  const argument = directives.get(name)
  return argument === undefined ? undefined : listMembers(argument).map((field) => field.toLowerCase())
}
