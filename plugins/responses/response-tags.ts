import type { FastifyRequest } from 'fastify'
import { type CdnFields, notForCdn } from '../http/cdn-fields.js'
import { type Fields, headerValues } from '../http/fields.js'
import { formatTags, isTag, parseTags, type TagHeader } from './tag-header.js'
import type { Warnings } from './warnings.js'

export interface ResponseTagsOptions {
  readonly tagHeader: TagHeader | false
  readonly maxTagHeaderBytes: number
  /** The option `tags` of the route. */
  readonly tagsOf: (request: FastifyRequest) => readonly string[]
  readonly warnings: Warnings
}

/** The tags of a route's responses: those of the option, of the handler's own field, and of the data that it read. */
export class ResponseTags {
  readonly #options: ResponseTagsOptions

  constructor(options: ResponseTagsOptions) {
    this.#options = options
  }

  /** The tags of the option; `undefined` if it fails. */
  ofRoute(request: FastifyRequest): readonly string[] | undefined {
    const { tagsOf, warnings } = this.#options
    try {
      const tags: unknown = tagsOf(request)
      if (Array.isArray(tags)) return tags
      warnings.warnOnce('the option tags must return a list of strings: the response is not stored')
    } catch (error) {
      warnings.warnOnce(`the option tags failed (${String(error)}): the response is not stored`)
    }
    return undefined
  }

  /** With those of the handler's own field and of the data, each once. */
  complete(ofRoute: readonly string[], ownFields: Fields, ofData: readonly string[]): string[] {
    const { tagHeader, warnings } = this.#options
    const stated = tagHeader === false ? undefined : ownFields[tagHeader.toLowerCase()]
    const ofHandler = tagHeader === false ? [] : headerValues(stated).flatMap((line) => parseTags(tagHeader, line))
    const tags = [...ofRoute, ...ofHandler, ...ofData]
    const valid = tags.filter(isTag)
    if (valid.length < tags.length) {
      warnings.warnOnce('tags must be 1 to 128 characters without white space: an invalid tag was dropped')
    }
    return [...new Set(valid)]
  }

  /** The tags for caches in front. One that could not purge the response must not store it. */
  fieldsOf(tags: readonly string[]): CdnFields {
    const { tagHeader, maxTagHeaderBytes, warnings } = this.#options
    if (tagHeader === false || tags.length === 0) return {}
    const value = formatTags(tagHeader, tags, maxTagHeaderBytes)
    if (value !== undefined) return { [tagHeader.toLowerCase()]: value }
    warnings.warnOnce(
      `the tags of a response do not fit into ${tagHeader}: it is sent without them, and with CDN-Cache-Control: no-store`,
    )
    return notForCdn
  }
}
