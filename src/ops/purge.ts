import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@fastify/type-provider-typebox'
import type { Static, TSchema } from '@sinclair/typebox'
import { Ajv } from 'ajv'
import type { FastifyRequest } from 'fastify'
import type { FastifySchemaValidationError } from 'fastify/types/schema.js'
import type { Cache } from 'fastify-vitrine/cache'
import { problemResponses } from '../http/problems.js'
import { type OperatorToken, unauthorised } from './operator-token.js'

export const Tag = Type.String({
  pattern: '^(?!\\*$)\\S{1,128}$',
  description: '1 to 128 characters, no white space, not `*`.',
})
export const Key = Type.String({ pattern: '^[\\s\\S]{1,512}$', description: '1 to 512 characters.' })

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

/** `POST /ops/cache/purge`, for whoever knows the token. */
const purgeRoute: FastifyPluginAsyncTypebox<{ token: OperatorToken }> = async (app, { token }) => {
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
      if (!token.isBearer(request)) throw unauthorised(reply)
    },
    handler: async (request, reply) => {
      const { tags, keys, hard } = request.body
      const { isDone, queued } = await orderPurge(app.cache, { tags, keys, hard }, request)
      return reply.code(isDone ? 200 : 202).send({ purged: { tags, keys }, queued, hard })
    },
  })
}

export default purgeRoute

/** Purges, and writes to the log who named what. */
export async function orderPurge(
  cache: Cache,
  { tags, keys, hard }: Static<typeof PurgeOrder>,
  { log }: Pick<FastifyRequest, 'log'>,
): Promise<{ isDone: boolean; queued: Static<typeof Named> }> {
  const result = await cache.purge({ tags, keys, hard })
  const queued = { tags: [...result.queued.tags], keys: [...result.queued.keys] }
  log.info({ tags, keys, hard, queued }, 'the cache was purged')
  return { isDone: result.isDone, queued }
}

// Characters are counted as the cache counts them, in UTF-16.
const strictAjv = new Ajv({ useDefaults: true, unicodeRegExp: false, strict: false })

/** Unlike the checks of other routes it refuses names that it does not know: `tag` for `tags` must not purge nothing. */
function strictCompiler({ schema }: { schema: unknown }) {
  const validate = strictAjv.compile(schema as TSchema) // the body is all there is
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
