import { Type } from '@sinclair/typebox'

const maxLength = 200

/** A query parameter that narrows a list. */
export function filter(description: string) {
  return Type.Optional(
    Type.String({
      maxLength,
      description: `${description} A blank value is no filter. At most ${maxLength} characters.`,
    }),
  )
}

/**
 * The trimmed text of a filter; `undefined` for a blank one, which is no filter. The only place that decides this: a request
 * with a filter bypasses the edge and the data cache, and the two must agree.
 */
export function resolveFilter(value: unknown): string | undefined {
  const text = typeof value === 'string' ? value.trim() : ''
  return text === '' ? undefined : text
}
