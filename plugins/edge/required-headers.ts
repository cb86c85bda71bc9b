import type { RouteOptions } from 'fastify'
import { credentialFields } from '../http/request-fields.js'
import { InvalidEdgeOption } from './errors.js'
import { negotiationFields } from './negotiation.js'
import type { ResolvedRoute } from './options.js'
import { type FindSchema, readSchemaNames } from './schema-names.js'

/**
 * Checks the schema of a route's headers. Throws where it requires one that is masked: every request would be invalid. Gives whether
 * it describes one that is not in the key, so that hits must be validated too. With `isHostKeyed` the key contains the host.
 */
export function validatesUnkeyed(
  { method, url, schema }: RouteOptions,
  { varyNames, unkeyedHeaders, bypassesCredentials }: ResolvedRoute,
  isHostKeyed: boolean,
  findSchema: FindSchema,
): boolean {
  const headers: unknown = schema?.headers
  if (headers === undefined) return false
  const visible = new Set([
    ...negotiationFields,
    ...varyNames,
    ...unkeyedHeaders,
    ...(bypassesCredentials ? credentialFields : []),
    ...(isHostKeyed ? ['host'] : []),
  ])
  const { names, required, openReason } = readSchemaNames(headers, findSchema)
  const masked = [...required].map((name) => name.toLowerCase()).filter((name) => !visible.has(name))
  if (masked.length === 0) {
    return unkeyedHeaders.size > 0 && (openReason !== undefined || [...names].some((name) => unkeyedHeaders.has(name)))
  }
  throw new InvalidEdgeOption(
    `${method} ${url}: schema.headers requires ${masked.join(', ')}, which is not in the key: name it in vary, or in unkeyedHeaders if the response does not depend on it`,
  )
}
