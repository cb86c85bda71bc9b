import { type TSchema, Type } from '@sinclair/typebox'

/** Header fields of an answer as the API description has them. */
export type AnswerHeaders = Readonly<Record<string, TSchema>>

/** Fields of every answer of the API. */
export const everyAnswer: AnswerHeaders = {
  'x-request-id': Type.String({
    description: 'Under which to find the request in our log: the one you sent, or a new one.',
  }),
  'x-ratelimit-limit': count('Requests that one address may send in a minute. Missing where there is no limit.'),
  'x-ratelimit-remaining': count('How many of them are left.'),
  'x-ratelimit-reset': count('Seconds until they are all there again.'),
}

/** Fields of an answer to ask again with, or to go on from. */
export const listAnswer: AnswerHeaders = {
  Link: Type.String({
    description:
      'Addresses of the `first`, `prev`, `next` and `last` page, with the same page size and filters, relative to the address that was asked. `prev` is missing on the first page, `next` on the last. RFC 8288.',
  }),
  ETag: Type.String({ description: 'Changes with the body: send it back as `If-None-Match`. RFC 9110.' }),
  'Cache-Control': Type.String({
    description: '`max-age`: seconds since it was made for which you need not ask again. `no-cache`: ask each time.',
  }),
  Age: count('Seconds since it was made. Missing where nothing is kept: with a filter, or when it is stale.'),
  'Cache-Status': Type.String({ description: 'What our cache did: `hit`, or why it passed the request on. RFC 9211.' }),
  ...everyAnswer,
}

/** Fields of a refusal for now. */
export const laterAnswer: AnswerHeaders = {
  'Retry-After': count('Seconds after which to try again, at the earliest.'),
  ...everyAnswer,
}

function count(description: string): TSchema {
  return Type.Integer({ minimum: 0, description })
}
