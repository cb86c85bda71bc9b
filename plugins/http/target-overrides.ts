import { type Fields, headerValues, listMembers } from './fields.js'

/**
 * Request fields by which origins replace scheme, host, port or path of the URI, and which any client can send. Without these in the
 * key one client would choose the links in the response to all.
 */
const uriFields = [
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-scheme',
  'x-forwarded-server',
  'x-forwarded-ssl',
  'x-forwarded-path',
  'x-forwarded-uri',
  'x-original-host',
  'x-original-uri',
  'x-host',
  'x-http-host-override',
  'x-scheme',
  'x-url-scheme',
  'front-end-https',
] as const

/** Request fields by which some origins answer another request than the one that was sent: its response is for this client alone. */
const requestFields = [
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-url',
  'x-rewrite-url',
] as const

/** Whether an origin may take the request for one with another method or target. */
export function hasRequestOverride(fields: Fields): boolean {
  return requestFields.some((name) => fields[name] !== undefined)
}

/** What the request fields say of its URI, as text for the key; empty if they say nothing. Contains no line feed. */
export function uriOverrides(fields: Fields): string {
  let text = ''
  for (const name of uriFields) {
    const field = fields[name]
    if (field !== undefined) text += JSON.stringify([name, ...headerValues(field)])
  }
  const { forwarded } = fields
  return forwarded === undefined ? text : text + forwardedText(listMembers(forwarded))
}

/** The elements of `Forwarded` without the addresses, which differ by client and are not part of a URI. RFC 7239 §4. */
function forwardedText(elements: readonly string[]): string {
  const uriPairs = elements.map((element) => element.split(';').filter((pair) => !/^[ \t]*(?:for|by)=/i.test(pair)))
  return uriPairs.every((pairs) => pairs.length === 0) ? '' : JSON.stringify(['forwarded', ...uriPairs])
}
