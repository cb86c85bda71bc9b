import { parse } from 'node:querystring'

/** The largest form of ours has ten. Parsing and checking thousands takes milliseconds. */
const maxParameters = 100

/** Parses a query string. Parameters after the first 100 are not read, like parameters of unknown names. */
export function parseQuery(text: string): Record<string, unknown> {
  return parse(text, '&', '=', { maxKeys: maxParameters })
}
