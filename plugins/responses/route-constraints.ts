import type { FastifyInstance, RouteOptions } from 'fastify'

/** Constraints of Fastify that need nothing: caches have the host in the URL, and `versionVary` names the field of the other. */
const known = ['host', 'version']

interface CachedRoute {
  readonly route: RouteOptions
  readonly varyNames: readonly string[]
}

/** Finds cached routes that Fastify chooses by request fields which caches in front do not know. */
export class RouteConstraints {
  /** The constraint of some route with this URL. */
  readonly #byUrl = new Map<string, string>()
  readonly #cached: CachedRoute[] = []

  /** Call it for each route, cached or not. */
  note({ url, constraints = {} }: RouteOptions): void {
    const other = Object.keys(constraints).find((name) => !known.includes(name))
    if (other !== undefined) this.#byUrl.set(url, other)
  }

  noteCached(route: RouteOptions, varyNames: readonly string[]): void {
    this.#cached.push({ route, varyNames })
  }

  /** Throws if the option `vary` of a cached route names no field though a constraint chooses between it and another route. */
  check(InvalidOption: new (message: string) => Error): void {
    for (const { route, varyNames } of this.#cached) {
      const name = this.#byUrl.get(route.url)
      if (name === undefined || varyNames.length > 0) continue
      throw new InvalidOption(
        `${route.method} ${route.url}: name the request headers of the constraint ${name} in vary, such as vary: ['x-${name}'], because caches in front of this one must not mix up the routes with this URL`,
      )
    }
  }
}

/**
 * Names for `Vary`. If any route has a version, Fastify chooses every route by `Accept-Version`: one without a version does not answer
 * requests that have the field.
 */
export function versionVary(app: FastifyInstance): readonly string[] {
  return app.hasConstraintStrategy('version') ? ['Accept-Version'] : []
}
