import { type TSchema, Type } from '@sinclair/typebox'

/** Response headers for the API description. */
export type ResponseHeaders = Readonly<Record<string, TSchema>>

/** Headers of every API response. */
export const commonHeaders: ResponseHeaders = {
  'x-request-id': Type.String({ description: 'Id of the request in our logs: the one you sent, or a new one.' }),
  'x-ratelimit-limit': count('Requests per minute for one client address. Absent when there is no limit.'),
  'x-ratelimit-remaining': count('Requests left in the current minute.'),
  'x-ratelimit-reset': count('Seconds until the limit resets.'),
}

/** Headers of list responses: links, validator, freshness. */
export const listHeaders: ResponseHeaders = {
  Link: Type.String({
    description:
      'URLs of the `first`, `prev`, `next` and `last` page with the same page size and filters, relative to the request URL. The first page has no `prev`, the last page has no `next`. RFC 8288.',
  }),
  ETag: Type.String({ description: 'Validator of the body. Send it back as `If-None-Match`. RFC 9110.' }),
  'Cache-Control': Type.String({
    description: '`max-age` is the freshness lifetime in seconds. `no-cache`: revalidate before each use.',
  }),
  Age: count('Seconds since the response was generated. Absent for filtered requests and stale responses.'),
  'Cache-Status': Type.String({
    description: 'How our cache handled the request: `hit`, or why the request was forwarded. RFC 9211.',
  }),
  ...commonHeaders,
}

/** Headers of responses that ask the client to retry later. */
export const retryHeaders: ResponseHeaders = {
  'Retry-After': count('Seconds to wait before the next request.'),
  ...commonHeaders,
}

function count(description: string): TSchema {
  return Type.Integer({ minimum: 0, description })
}
