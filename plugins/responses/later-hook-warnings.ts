import type { FastifyBaseLogger, RouteOptions } from 'fastify'
import type { Hook, SkippedHook } from './hook-position.js'

/** Warnings of hooks that hits wait for: one for all routes that have the same hooks. */
export class LaterHookWarnings {
  readonly #log: FastifyBaseLogger
  readonly #kind: string
  readonly #groups = new Map<string, { readonly hooks: readonly string[] | undefined; readonly routes: string[] }>()

  constructor(log: FastifyBaseLogger, kind: string) {
    this.#log = log
    this.#kind = kind
  }

  /** `hooks`: as `describeHooks` names them; `undefined`: they cannot be found. */
  add({ method, url }: RouteOptions, hooks: readonly string[] | undefined): void {
    const name = JSON.stringify(hooks ?? null)
    const group = this.#groups.get(name) ?? { hooks, routes: [] }
    this.#groups.set(name, group)
    group.routes.push(`${method} ${url}`)
  }

  /** Logs what was added since the last call. */
  log(): void {
    const kind = this.#kind
    for (const { hooks, routes } of this.#groups.values()) {
      const advice =
        hooks === undefined
          ? `register ${kind} after plugins that wrap hooks`
          : 'use onRequest hooks, or set acknowledgeSkippedHooks: true to skip these'
      this.#log.warn({ kind, hooks, routes }, `hits of these routes are served after their hooks: ${advice}`)
    }
    this.#groups.clear()
  }
}

/** Each hook as its kind, its name and the plugin that it is of, as far as they are known. */
export function describeHooks(
  hooks: readonly SkippedHook[],
  ownerOf: (hook: Hook) => string | undefined,
): readonly string[] {
  return hooks.map(({ kind, hook }) => {
    const name = hook.name === kind ? '' : hook.name
    const owner = ownerOf(hook)
    return [kind, name, owner === undefined ? '' : `of ${owner}`].filter(Boolean).join(' ')
  })
}
