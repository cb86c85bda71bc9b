/**
 * Whether the text is a `redis://`, `rediss://` or `unix:` URL of a server. Parts that the client would ignore or misread
 * are refused: ioredis, for example, ends the process if the database is not a number.
 */
export function isRedisUrl(text: string): boolean {
  if (!/^(rediss?:\/\/|unix:\/)/.test(text) || !URL.canParse(text)) return false
  const { protocol, hostname, port, username, password, pathname, search, searchParams, hash } = new URL(text)
  if (hash !== '') return false
  if (protocol === 'unix:') {
    // The client uses the path without decoding it.
    return hostname === '' && search === '' && /^\/[^%]+$/.test(pathname)
  }
  if (hostname === '' || port === '0' || !isDecodable(username) || !isDecodable(password)) return false
  // The client would use any other parameter as an option.
  const isKnownParameter = ([name, value]: [string, string]) =>
    (name === 'db' && isDatabase(value)) || (name === 'family' && /^[046]$/.test(value))
  const parameters = [...searchParams]
  const isUnique = new Set(parameters.map(([name]) => name)).size === parameters.length
  if (!isUnique || !parameters.every(isKnownParameter)) return false
  return pathname === '' || pathname === '/' || (isDatabase(pathname.slice(1)) && !searchParams.has('db'))
}

function isDatabase(text: string): boolean {
  return /^\d{1,9}$/.test(text)
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false // a percent sign that encodes nothing
  }
}
