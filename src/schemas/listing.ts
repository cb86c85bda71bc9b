import { type Static, type TInteger, type TSchema, Type } from '@sinclair/typebox'

/** `page` and `page_size` of every list. */
export const Paging = {
  page: defaulted({ minimum: 1, default: 1, description: 'Page number, from 1.' }),
  page_size: defaulted({ minimum: 1, maximum: 100, default: 20, description: 'Items a page, 1 to 100.' }),
}

/** An integer that a client may leave out. To the handler it is always there: the validator fills the default in. */
function defaulted(options: { minimum: number; maximum?: number; default: number; description: string }): TInteger {
  const integer = Type.Integer(options)
  return Type.Optional(integer) as TInteger // an optional integer in the description, a plain one in the type
}

/** A text that narrows a list; blank is no filter. */
export function filter(description: string) {
  return Type.Optional(
    Type.String({ maxLength: 200, description: `${description} Blank is no filter; at most 200 characters.` }),
  )
}

/** One page of a list, with how much there is in all; `stale` and `as_of` only when the answer is not fresh. */
export function listingOf<Item extends TSchema>(item: Item, title: string) {
  return Type.Object(
    {
      items: Type.Array(item),
      page: Type.Integer({ minimum: 1, description: 'The page that was asked for.' }),
      page_size: Type.Integer({ minimum: 1, description: 'Items that a full page has.' }),
      pages: Type.Integer({ minimum: 0, description: 'Number of pages; 0 when the list is empty.' }),
      total: Type.Integer({ minimum: 0, description: 'Number of items on all pages.' }),
      stale: Type.Optional(
        Type.Literal(true, {
          description:
            'There when this is an older answer: the marketplace could not be asked, or is being asked just now.',
        }),
      ),
      as_of: Type.Optional(
        Type.String({ format: 'date-time', description: 'There with `stale`: when the marketplace said this.' }),
      ),
    },
    { title, additionalProperties: false },
  )
}

/**
 * Identifier, an integer or a string as the upstream gives it. An integer beyond 2^53 − 1 is refused: reading the JSON has
 * rounded it already, to what may be the id of somebody else.
 */
export const Id = Type.Union(
  [Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }), Type.String({ minLength: 1 })],
  { examples: [4711, 'galerie-du-quai-neuf'] },
)

export type Id = Static<typeof Id>

/** Number or code under which customers know something; null where they know it by none. */
export function customerId(description = 'Number or code under which customers know it.') {
  return Type.Union([Type.Integer(), Type.String(), Type.Null()], { description })
}

export const SellerParams = Type.Object({
  seller_id: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$', description: 'Identifier of the seller.' }),
})
