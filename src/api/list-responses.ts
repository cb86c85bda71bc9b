import { type TSchema, Type } from '@sinclair/typebox'
import { listHeaders } from '../schemas/headers.js'

/** Success responses for the schema of a list route. */
export function listResponses<Listing extends TSchema>(listing: Listing) {
  return {
    200: {
      ...listing,
      description: 'One page of the list. `stale` and `as_of` mark a stale list.',
      headers: listHeaders,
    },
    304: {
      ...Type.Null(),
      description: 'The ETag in `If-None-Match` is current. No body.',
      headers: listHeaders,
    },
  }
}
