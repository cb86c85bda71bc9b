import { parse } from 'fast-querystring' // Fastify's own parser

/** The largest form of ours has ten. Parsing and checking thousands takes milliseconds. */
const maxParameters = 100

/** Parses a query string. Parameters after the first 100 are not read, like parameters of unknown names. */
export function parseQuery(text: string): Record<string, unknown> {
  return parse(firstParameters(text))
}

function firstParameters(text: string): string {
  let end = -1
  for (let count = 0; count < maxParameters; count += 1) {
    end = text.indexOf('&', end + 1)
    if (end === -1) return text
  }
  return text.slice(0, end)
}
