import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@fastify/type-provider-typebox'
import type { Static, TSchema } from '@sinclair/typebox'
import { Ajv, type ErrorObject } from 'ajv'
import type { FastifyRequest } from 'fastify'
import type { FastifySchemaValidationError } from 'fastify/types/schema.js'
import type { Cache } from 'fastify-vitrine/cache'
import { problemResponses } from '../http/problems.js'
import { unauthorizedError } from './operator-token.js'

export const Tag = Type.String({
  pattern: '^(?!\\*$)\\S{1,128}$',
  description: '1 to 128 characters, no white space, not `*`.',
})
export const Key = Type.String({ pattern: '^[\\s\\S]{1,512}$', description: '1 to 512 characters.' })

const PurgeRequest = Type.Object(
  {
    tags: Type.Array(Tag, { default: [], maxItems: 256 }),
    keys: Type.Array(Key, { default: [], maxItems: 256 }),
    hard: Type.Boolean({
      default: false,
      description: 'Also removes the stale copy that is served when a load fails.',
    }),
  },
  { additionalProperties: false, title: 'Purge' },
)

const PurgeTargets = Type.Object({ tags: Type.Array(Type.String()), keys: Type.Array(Type.String()) })
const Purged = Type.Object({ purged: PurgeTargets, queued: PurgeTargets, hard: Type.Boolean() }, { title: 'Purged' })

const { content } = problemResponses[400]

/** `POST /ops/cache/purge`, with the operator token. */
const purgeRoute: FastifyPluginAsyncTypebox = async (app) => {
  const schema = {
    operationId: 'purgeCache',
    summary: 'Purge the cache',
    description:
      'The next read of the purged entries loads again. Requires `tags` or `keys`. Tags in use: `sellers`, `catalogs`, `seller:{id}`.',
    tags: ['operations'],
    body: PurgeRequest,
    response: {
      200: { ...Purged, description: 'Purged in all processes.' },
      202: {
        ...Purged,
        description:
          'Purged in this process. `queued` is sent to the others when Redis is back, unless this process ends first.',
      },
      400: { description: 'The request body is invalid.', content },
      401: { description: 'The token is missing or wrong.', content },
      413: { description: 'The request body is too large.', content },
      429: problemResponses[429],
    },
  }
  app.post('/ops/cache/purge', {
    schema,
    validatorCompiler: strictCompiler,
    // After the rate limit, and before the body is read.
    preParsing: async (request, reply) => {
      if (!request.hasOperatorToken) throw unauthorizedError(reply)
    },
    handler: async (request, reply) => {
      const { tags, keys, hard } = request.body
      const { isDone, queued } = await purgeAndLog(app.cache, { tags, keys, hard }, request)
      return reply.code(isDone ? 200 : 202).send({ purged: { tags, keys }, queued, hard })
    },
  })
}

export default purgeRoute

export async function purgeAndLog(
  cache: Cache,
  { tags, keys, hard }: Static<typeof PurgeRequest>,
  { log }: Pick<FastifyRequest, 'log'>,
): Promise<{ isDone: boolean; queued: Static<typeof PurgeTargets> }> {
  const result = await cache.purge({ tags, keys, hard })
  const queued = { tags: [...result.queued.tags], keys: [...result.queued.keys] }
  log.info({ tags, keys, hard, queued }, 'cache purged')
  return { isDone: result.isDone, queued }
}

// The cache counts UTF-16 code units, so this does too.
const strictAjv = new Ajv({ useDefaults: true, unicodeRegExp: false, strict: false })

/** Unlike other routes, rejects unknown properties: `tag` instead of `tags` must not purge nothing. */
function strictCompiler({ schema }: { schema: unknown }) {
  const validate = strictAjv.compile(schema as TSchema) // for the body only
  return (value: {
    tags: unknown[]
    keys: unknown[]
  }): { value: unknown } | { error: FastifySchemaValidationError[] } => {
    if (!validate(value)) return { error: (validate.errors ?? []).map(explainPattern) }
    if (value.tags.length + value.keys.length > 0) return { value }
    const message = 'must have at least one tag or key'
    return { error: [{ instancePath: '', keyword: 'minItems', params: {}, schemaPath: '', message }] }
  }
}

/** Instead of "must match pattern", which shows a regular expression. */
function explainPattern(error: ErrorObject): FastifySchemaValidationError {
  if (error.keyword !== 'pattern') return error
  const isTag = error.instancePath.startsWith('/tags/')
  const message = isTag ? 'must be 1 to 128 characters without white space, and not *' : 'must be 1 to 512 characters'
  return { ...error, message }
}
