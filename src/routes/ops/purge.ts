import { createHash, timingSafeEqual } from 'node:crypto'
import createError from '@fastify/error'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@fastify/type-provider-typebox'
import type { TSchema } from '@sinclair/typebox'
import { Ajv } from 'ajv'
import type { FastifySchemaValidationError } from 'fastify/types/schema.js'
import { problemResponses } from '../../errors.js'

const Tag = Type.String({
  pattern: '^(?!\\*$)\\S{1,128}$',
  description: '1 to 128 characters, no white space, not `*`.',
})
const Key = Type.String({ pattern: '^[\\s\\S]{1,512}$', description: '1 to 512 characters.' })

const PurgeOrder = Type.Object(
  {
    tags: Type.Array(Tag, { default: [], maxItems: 256 }),
    keys: Type.Array(Key, { default: [], maxItems: 256 }),
    hard: Type.Boolean({ default: false, description: 'Also removes the copy that is kept for when a load fails.' }),
  },
  { additionalProperties: false, title: 'Purge' },
)

const Named = Type.Object({ tags: Type.Array(Type.String()), keys: Type.Array(Type.String()) })
const Purged = Type.Object({ purged: Named, queued: Named, hard: Type.Boolean() }, { title: 'Purged' })

const { content } = problemResponses[400]
const Unauthorised = createError('VITRINE_UNAUTHORIZED', 'This wants the bearer token of the operator.', 401)

/** `POST /ops/cache/purge`, for whoever knows the token. */
const purgeRoute: FastifyPluginAsyncTypebox<{ token: string }> = async (app, { token }) => {
  const expected = digest(token)
  const schema = {
    operationId: 'purgeCache',
    summary: 'Purge the cache',
    description:
      'The next read of what is named loads again. Wants `tags` or `keys`: `sellers`, `catalogs`, `seller:{id}`.',
    tags: ['operations'],
    body: PurgeOrder,
    response: {
      200: { ...Purged, description: 'Done in every process.' },
      202: { ...Purged, description: 'Done here; `queued` waits for Redis, and is lost when this process ends first.' },
      400: { description: 'The order is wrong.', content },
      401: { description: 'The token is missing or wrong.', content },
      413: { description: 'The order is too long.', content },
      429: problemResponses[429],
    },
  }
  app.post('/ops/cache/purge', {
    schema,
    bodyLimit: 64 * 1_024,
    validatorCompiler: strictCompiler,
    // After the rate limit, so that guesses are counted, and before the body is read.
    preParsing: async (request, reply) => {
      const [, given = ''] = /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? []
      if (timingSafeEqual(digest(given), expected)) return
      reply.header('www-authenticate', 'Bearer')
      throw new Unauthorised()
    },
    handler: async (request, reply) => {
      const { tags, keys, hard } = request.body
      const result = await app.cache.purge({ tags, keys, hard })
      const queued = { tags: [...result.queued.tags], keys: [...result.queued.keys] }
      request.log.info({ tags, keys, hard, queued }, 'the cache was purged')
      return reply.code(result.isDone ? 200 : 202).send({ purged: { tags, keys }, queued, hard })
    },
  })
}

export default purgeRoute

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** Unlike the checks of other routes it refuses names that it does not know: `tag` for `tags` must not purge nothing. */
function strictCompiler({ schema }: { schema: unknown }) {
  // Characters are counted as the cache counts them, in UTF-16.
  const validate = new Ajv({ useDefaults: true, unicodeRegExp: false, strict: false }).compile(schema as TSchema) // the body is all there is
  return (value: {
    tags: unknown[]
    keys: unknown[]
  }): { value: unknown } | { error: FastifySchemaValidationError[] } => {
    if (!validate(value)) return { error: validate.errors ?? [] }
    if (value.tags.length + value.keys.length > 0) return { value }
    return {
      error: [
        {
          instancePath: '/tags',
          keyword: 'minItems',
          params: {},
          schemaPath: '',
          message: 'or keys must name something',
        },
      ],
    }
  }
}
