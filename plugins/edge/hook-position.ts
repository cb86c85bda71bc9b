import type { FastifyInstance, RouteOptions } from 'fastify'

/**
 * Where in a request's life a route is answered from the cache: at the end of `onRequest`, which costs least, or in the handler's
 * place, after all hooks.
 */
export type HookPosition = 'onRequest' | 'preHandler'

/** A hook of which Fastify knows no more than that it is a function. */
type Hook = (...parameters: never[]) => unknown

/** Hooks that a hit sent from `onRequest` does not run. */
const laterHooks = ['preParsing', 'preValidation', 'preHandler'] as const

/** One of those hooks, as the log names it. */
export interface SkippedHook {
  readonly kind: 'onRequest' | (typeof laterHooks)[number]
  /** Name of the function; empty when it has none. */
  readonly name: string
}

/**
 * The hooks that a hit sent from the route's `onRequest` hook would not run: those of the instance and those of the route, also
 * where they were added after the edge. Call it once the application is ready. `undefined`: this Fastify does not show them.
 */
export function findSkippedHooks(
  instance: FastifyInstance,
  route: RouteOptions,
  own: { readonly onRequest: Hook; readonly preHandler: Hook },
): readonly SkippedHook[] | undefined {
  const hooksOf = instanceHooks(instance)
  const first = listOf<Hook>(route.onRequest)
  const position = first.indexOf(own.onRequest)
  if (hooksOf === undefined || position === -1) return undefined
  const behind = first.slice(position + 1).map(({ name }) => ({ kind: 'onRequest' as const, name }))
  const later = laterHooks.flatMap((kind) =>
    [...hooksOf(kind), ...listOf<Hook>(route[kind])]
      .filter((hook) => hook !== own.preHandler)
      .map(({ name }) => ({ kind, name })),
  )
  return [...behind, ...later]
}

/** Moves the hook to the end of its list, behind what other plugins have pushed there since. */
export function moveToEnd(route: RouteOptions, kind: HookPosition, hook: Hook): void {
  const hooks = listOf<Hook>(route[kind])
  if (hooks.at(-1) === hook || !hooks.includes(hook)) return
  // Any function that Fastify took as a hook of this kind is one of this kind.
  Object.assign(route, { [kind]: [...hooks.filter((other) => other !== hook), hook] })
}

export function listOf<Item>(items: unknown): Item[] {
  return items === undefined ? [] : ([items].flat() as Item[]) // Fastify has a hook, or a list of hooks
}

/** Fastify has the hooks of an instance under a symbol that it does not export. */
function instanceHooks(
  instance: FastifyInstance,
): ((kind: (typeof laterHooks)[number]) => readonly Hook[]) | undefined {
  for (let holder: object | null = instance; holder !== null; holder = Object.getPrototypeOf(holder)) {
    const symbol = Object.getOwnPropertySymbols(holder).find(({ description }) => description === 'fastify.hooks')
    const hooks: unknown = symbol && Reflect.get(holder, symbol)
    if (typeof hooks !== 'object' || hooks === null) continue
    const lists = laterHooks.map((kind) => Reflect.get(hooks, kind))
    return lists.every(Array.isArray) ? (kind) => lists[laterHooks.indexOf(kind)] ?? [] : undefined
  }
  return undefined
}
