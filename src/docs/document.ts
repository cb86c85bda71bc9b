/** JSON of an API description, which is all that is known of it here. */
export interface JsonObject {
  [name: string]: Json | undefined
}
export type Json = string | number | boolean | null | Json[] | JsonObject

export function isObject(json: Json | undefined): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

/** The object of that name, made where there is none. */
export function objectAt(parent: JsonObject, name: string): JsonObject {
  const child = parent[name]
  if (isObject(child)) return child
  const made: JsonObject = {}
  parent[name] = made
  return made
}

/** The objects in an object; none where there is no object. */
export function childrenOf(parent: Json | undefined): JsonObject[] {
  return isObject(parent) ? Object.values(parent).filter(isObject) : []
}

/** All operations of a description. */
export function operationsOf({ paths }: JsonObject): JsonObject[] {
  return childrenOf(paths).flatMap(childrenOf)
}

/** Calls it with every object of a description, the innermost first. */
export function walk(json: Json | undefined, visit: (object: JsonObject) => void): void {
  if (Array.isArray(json)) for (const each of json) walk(each, visit)
  if (!isObject(json)) return
  for (const each of Object.values(json)) walk(each, visit)
  visit(json)
}
