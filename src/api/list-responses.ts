import { type TSchema, Type } from '@sinclair/typebox'
import { listAnswer } from '../schemas/headers.js'

/** The answers of a list that are no errors, for its schema and so for the API description. */
export function listResponses<Listing extends TSchema>(listing: Listing) {
  return {
    200: {
      ...listing,
      description: 'One page of the list. With `stale` and `as_of` it is an older answer, which you may show as such.',
      headers: listAnswer,
    },
    304: {
      ...Type.Null(),
      description: 'What you have, by the ETag in `If-None-Match`, is what a 200 would bring. There is no body.',
      headers: listAnswer,
    },
  }
}
