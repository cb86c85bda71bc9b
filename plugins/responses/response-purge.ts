import { isTag } from './tag-header.js'

/** Which responses `purge` removes: those with any of the paths or tags. */
export interface ResponsePurge {
  /**
   * Paths of URLs, without host and query: `/sellers` removes its responses to any host and query, `/sellers/*` those of all paths
   * that begin with `/sellers/`. At most 256.
   */
  readonly paths?: readonly string[]
  /** At most 256. */
  readonly tags?: readonly string[]
  /** Every response. */
  readonly all?: boolean
}

export interface ResponsePurgeResult {
  /** Number of responses removed from the memory of this process. */
  readonly removed: number
}

/** Whether a purge removes a response. */
export type PurgeMatch = (response: { readonly path: string; readonly tags: readonly string[] }) => boolean

const maxItems = 256

/** The purge, checked; throws what a program without types may have got wrong. */
export function checkPurge(given: unknown, InvalidOption: new (message: string) => Error): ResponsePurge {
  if (typeof given !== 'object' || given === null)
    throw new InvalidOption('purge requires { paths, tags } or { all: true }')
  const { paths = [], tags = [], all = false, ...others }: Record<string, unknown> = { ...given }
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) throw new InvalidOption(`there is no purge by ${unknown}`)
  if (!isListOf(paths, isPath)) {
    throw new InvalidOption("paths of a purge must be paths without a query, such as '/sellers' or '/sellers/*'")
  }
  if (!isListOf(tags, isTag)) throw new InvalidOption('tags of a purge must be 1 to 128 characters without white space')
  if (typeof all !== 'boolean') throw new InvalidOption('all of a purge must be true or false')
  if (paths.length > maxItems || tags.length > maxItems) {
    throw new InvalidOption(`a purge takes at most ${maxItems} paths and ${maxItems} tags`)
  }
  if (paths.length === 0 && tags.length === 0 && !all) {
    throw new InvalidOption('purge requires a path, a tag or all: true')
  }
  return { paths, tags, all }
}

export function purgeMatch({ paths = [], tags = [], all = false }: ResponsePurge): PurgeMatch {
  const exact = new Set(paths.filter((path) => !path.endsWith('*')).map(decoded))
  const prefixes = paths.filter((path) => path.endsWith('*')).map((path) => decoded(path.slice(0, -1)))
  const tagged = new Set(tags)
  return (response) => {
    if (all || response.tags.some((tag) => tagged.has(tag))) return true
    if (paths.length === 0) return false
    const path = plainPath(response.path)
    return exact.has(path) || prefixes.some((prefix) => path.startsWith(prefix))
  }
}

const schemeAndHost = /^https?:\/\/[^/]*/i

/** The path of a stored response without the origin that its key begins with, decoded as Fastify does to find the route. */
export function plainPath(path: string): string {
  const target = path.slice(path.lastIndexOf('\n') + 1)
  return decoded(target.replace(schemeAndHost, '') || '/')
}

function decoded(path: string): string {
  if (!path.includes('%')) return path
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

function isPath(path: unknown): path is string {
  return typeof path === 'string' && /^\/[^?#*\s]*\*?$/.test(path)
}

function isListOf<Item>(list: unknown, isItem: (item: unknown) => item is Item): list is Item[] {
  return Array.isArray(list) && list.every(isItem)
}
