import type { FastifyInstance, RouteOptions } from 'fastify'
import { type Hook, type HookContext, laterHooks, listOf } from './hook-position.js'

/** Knows which plugins hooks are of, as far as that can be seen. */
export class HookOwners {
  readonly #packages = new WeakMap<Hook, string>()

  /** Records the packages that add hooks to the instance and its descendants from now on, also to routes in `onRoute` hooks. */
  watch(app: FastifyInstance): void {
    const { addHook } = app
    const record = (hook: unknown, from: string) => typeof hook === 'function' && this.#packages.set(hook as Hook, from)
    function addWatchedHook(this: FastifyInstance, name: unknown, hook: unknown): unknown {
      const from = callingPackage(addWatchedHook)
      if (from === undefined) return Reflect.apply(addHook, this, [name, hook])
      record(hook, from)
      if (name !== 'onRoute' || typeof hook !== 'function') return Reflect.apply(addHook, this, [name, hook])
      return Reflect.apply(addHook, this, [
        name,
        function addToRoute(this: FastifyInstance, route: RouteOptions): unknown {
          const known = new Set(hooksOf(route))
          const result: unknown = Reflect.apply(hook, this, [route])
          for (const added of hooksOf(route)) if (!known.has(added)) record(added, from)
          return result
        },
      ])
    }
    Object.assign(app, { addHook: addWatchedHook })
  }

  /** The package that added the hook, or the plugin in whose context it was added; `undefined`: unknown. */
  ownerOf(hook: Hook, contexts: readonly HookContext[]): string | undefined {
    return this.#packages.get(hook) ?? contextOf(hook, contexts)
  }
}

function hooksOf(route: RouteOptions): readonly Hook[] {
  return laterHooks.flatMap((kind) => listOf<Hook>(route[kind]))
}

/** The package of the first frame outside Fastify; `undefined`: it is of the application. */
function callingPackage(below: (...parameters: never[]) => unknown): string | undefined {
  const trace: { stack?: string } = {}
  Error.captureStackTrace(trace, below)
  for (const frame of (trace.stack ?? '').split('\n').slice(1)) {
    if (frame.includes(import.meta.url)) continue // both HTTP caches watch
    const name = /.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/.exec(frame)?.[1]?.replace('\\', '/')
    if (name !== undefined && ofFastify.has(name)) continue
    return name
  }
  return undefined
}

const ofFastify: ReadonlySet<string> = new Set(['fastify', 'fastify-plugin', 'avvio'])

/** The plugin in whose context the hook was added; the application itself has no name. */
function contextOf(hook: Hook, contexts: readonly HookContext[]): string | undefined {
  const owner = contexts.findLast(({ hooks }) => Object.values(hooks).some((list) => list.includes(hook)))
  if (owner === undefined || owner === contexts.at(-1)) return undefined
  const [name = ''] = owner.instance.pluginName.split(' -> ')
  return /^[@\w/.-]+$/.test(name) ? name : undefined // of a function without a name, Fastify takes the text
}
