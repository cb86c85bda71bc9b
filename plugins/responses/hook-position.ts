import type { FastifyInstance, RouteOptions } from 'fastify'

/**
 * Where a route is answered from the cache: at the end of `onRequest`, which is the fastest, or in the handler's place, after all
 * hooks.
 */
export type HookPosition = 'onRequest' | 'handler'

/** A hook of which Fastify knows no more than that it is a function. */
export type Hook = (...parameters: never[]) => unknown

/** Hooks that a hit sent from `onRequest` does not run. */
export const laterHooks = ['preParsing', 'preValidation', 'preHandler'] as const

export interface SkippedHook {
  readonly kind: 'onRequest' | (typeof laterHooks)[number]
  readonly hook: Hook
}

/** An encapsulation context of Fastify with its later hooks, those of the outer contexts included. */
export interface HookContext {
  readonly instance: FastifyInstance
  readonly hooks: Readonly<Record<(typeof laterHooks)[number], readonly Hook[]>>
}

/** Keeps a hook at the end of the route's `onRequest` hooks. */
export class LastHook {
  readonly #route: RouteOptions
  readonly #hook: Hook
  /** What the application gave: a hook, or a list that it may still be completing. */
  readonly #given: unknown
  #count: number

  constructor(route: RouteOptions, hook: Hook) {
    const declared = listOf<Hook>(route.onRequest)
    this.#route = route
    this.#hook = hook
    this.#given = route.onRequest
    this.#count = declared.length
    this.#set([...declared, hook])
    // After the `onRoute` hooks of other plugins, and before Fastify builds the route from these options.
    queueMicrotask(() => this.#moveToEnd())
  }

  /** Whether the application has added hooks to the list it gave. They would not run: the route has a copy. */
  get hasLateHooks(): boolean {
    return listOf(this.#given).length !== this.#count
  }

  /**
   * The hooks that a hit sent from this hook does not run: of the instance and of the route, also those added later. Call it once the
   * application is ready. `undefined`: they cannot be found.
   */
  findSkipped(instance: FastifyInstance): readonly SkippedHook[] | undefined {
    const [context] = contextsOf(instance)
    const onRequest = listOf<Hook>(this.#route.onRequest)
    const position = onRequest.indexOf(this.#hook)
    if (context === undefined || position === -1) return undefined
    const after = onRequest.slice(position + 1).map((hook) => ({ kind: 'onRequest' as const, hook }))
    const later = laterHooks.flatMap((kind) =>
      [...context.hooks[kind], ...listOf<Hook>(this.#route[kind])].map((hook) => ({ kind, hook })),
    )
    return [...after, ...later]
  }

  #moveToEnd(): void {
    const late = listOf<Hook>(this.#given).slice(this.#count)
    this.#count += late.length
    const others = listOf<Hook>(this.#route.onRequest).filter((hook) => hook !== this.#hook)
    this.#set([...others, ...late, this.#hook])
  }

  #set(hooks: readonly Hook[]): void {
    Object.assign(this.#route, { onRequest: hooks }) // each of them is an `onRequest` hook already, or is ours
  }
}

export function listOf<Item>(items: unknown): Item[] {
  return items === undefined ? [] : ([items].flat() as Item[]) // Fastify has a hook, or a list of hooks
}

/** The contexts of an instance, the innermost first. Fastify has their hooks under a symbol that it does not export. */
export function contextsOf(instance: FastifyInstance): readonly HookContext[] {
  const contexts: HookContext[] = []
  for (let holder: FastifyInstance | null = instance; holder !== null; holder = Object.getPrototypeOf(holder)) {
    const symbol = Object.getOwnPropertySymbols(holder).find(({ description }) => description === 'fastify.hooks')
    const hooks: unknown = symbol && Reflect.get(holder, symbol)
    if (isHookLists(hooks)) contexts.push({ instance: holder, hooks })
    else if (hooks !== undefined) return [] // of another version of Fastify
  }
  return contexts
}

function isHookLists(hooks: unknown): hooks is HookContext['hooks'] {
  return (
    typeof hooks === 'object' && hooks !== null && laterHooks.every((kind) => Array.isArray(Reflect.get(hooks, kind)))
  )
}
