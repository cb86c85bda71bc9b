import type { IncomingHttpHeaders } from 'node:http'

/** Fields by which a handler may negotiate a representation: reading one makes the response vary by it. RFC 9110 §12.5. */
export const negotiationFields = ['accept', 'accept-language'] as const

/**
 * The headers, which report each field that is read, also where it is missing. To list all fields is to read them all. A field that
 * has been assigned is no longer that of the client, unless `reportsAssigned`.
 */
export function observeNegotiation(
  headers: IncomingHttpHeaders,
  names: Iterable<string>,
  onRead: (name: string) => void,
  { reportsAssigned }: { readonly reportsAssigned: boolean },
): IncomingHttpHeaders {
  const observed = new Set<unknown>(names)
  const note = (name: unknown) => {
    if (observed.has(name)) onRead(String(name))
  }
  return new Proxy(headers, {
    get(target, name) {
      note(name)
      return Reflect.get(target, name)
    },
    set(target, name, value) {
      if (!reportsAssigned) observed.delete(name)
      return Reflect.set(target, name, value)
    },
    has(target, name) {
      note(name)
      return Reflect.has(target, name)
    },
    getOwnPropertyDescriptor(target, name) {
      note(name)
      return Reflect.getOwnPropertyDescriptor(target, name)
    },
    ownKeys(target) {
      for (const name of observed) note(name)
      return Reflect.ownKeys(target)
    },
  })
}
