import { type Static, type TInteger, type TSchema, Type } from '@sinclair/typebox'

export const defaultPageSize = 20
const maxPageSize = 100

/** `page` and `page_size` of every list. */
export const Paging = {
  page: defaulted({ minimum: 1, default: 1, description: 'Page number, from 1.' }),
  page_size: defaulted({
    minimum: 1,
    maximum: maxPageSize,
    default: defaultPageSize,
    description: `Items per page, 1 to ${maxPageSize}.`,
  }),
}

/** An integer that clients may omit. Handlers always see a number: the validator fills in the default. */
function defaulted(options: { minimum: number; maximum?: number; default: number; description: string }): TInteger {
  const integer = Type.Integer(options)
  return Type.Optional(integer) as TInteger // an optional integer in the description, a plain one in the type
}

/** One page of a list and the size of the complete list. `stale` and `as_of` are present only in stale responses. */
export function listingOf<Item extends TSchema>(item: Item, title: string) {
  return Type.Object(
    {
      items: Type.Array(item),
      page: Type.Integer({ minimum: 1, description: 'The requested page.' }),
      page_size: Type.Integer({ minimum: 1, description: 'Items per page.' }),
      pages: Type.Integer({ minimum: 0, description: 'Number of pages; 0 for an empty list.' }),
      total: Type.Integer({ minimum: 0, description: 'Number of items on all pages.' }),
      stale: Type.Optional(
        Type.Literal(true, {
          description: 'Present when the list is stale: the marketplace failed, or a refresh is in progress.',
        }),
      ),
      as_of: Type.Optional(
        Type.String({ format: 'date-time', description: 'Present with `stale`: when the list was loaded.' }),
      ),
    },
    { title, additionalProperties: false },
  )
}

/**
 * Identifier, an integer or a string as the upstream sends it. Integers beyond 2^53 − 1 are refused: JSON parsing has
 * already rounded them, possibly to the id of another item.
 */
export const Id = Type.Union(
  [Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }), Type.String({ minLength: 1 })],
  { examples: [4711, 'galerie-du-quai-neuf'] },
)

export type Id = Static<typeof Id>

/** Number or code that customers use; null where there is none. */
export function customerId(description = 'Number or code that customers use.') {
  return Type.Union([Type.Integer(), Type.String(), Type.Null()], { description })
}

const sellerIdPattern = '^[A-Za-z0-9_-]{1,64}$'
const sellerIdRegExp = new RegExp(sellerIdPattern)

export const SellerParams = Type.Object({
  seller_id: Type.String({ pattern: sellerIdPattern, description: 'Seller id.' }),
})

/** Whether an id can be part of a URL. */
export function isSellerId(id: Id): boolean {
  return sellerIdRegExp.test(String(id))
}
