/** Methods that change nothing; every other one may, also an unknown one. IANA HTTP Method Registry. */
const safe = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'REPORT', 'SEARCH', 'QUERY'])

export function isSafe(method: string): boolean {
  return safe.has(method)
}
