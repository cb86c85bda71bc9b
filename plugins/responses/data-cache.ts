import type { FastifyInstance, FastifyRequest } from 'fastify'
import { cacheBrand } from '../cache/brand.js'
import type { Cache } from '../cache/index.js'

/** The data cache that the route of a request sees: its plugin may have one of its own. */
export function dataCacheOf({ server }: FastifyRequest): Cache | undefined {
  return dataCacheIn(server)
}

/** `cache` of the instance, if it is that of `fastify-vitrine/cache`: an application may have another one. */
export function dataCacheIn(instance: FastifyInstance): Cache | undefined {
  const value: unknown = Reflect.get(instance, 'cache')
  return isDataCache(value) ? value : undefined
}

function isDataCache(value: unknown): value is Cache {
  return typeof value === 'object' && value !== null && cacheBrand in value
}
