/** An API description as plain JSON. */
export interface JsonObject {
  [name: string]: Json | undefined
}
export type Json = string | number | boolean | null | Json[] | JsonObject

export function isObject(json: Json | undefined): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

/** The child object of that name, created if it is missing. */
export function objectAt(parent: JsonObject, name: string): JsonObject {
  const child = parent[name]
  if (isObject(child)) return child
  const created: JsonObject = {}
  parent[name] = created
  return created
}

/** The child objects of an object; empty for anything else. */
export function childrenOf(parent: Json | undefined): JsonObject[] {
  return isObject(parent) ? Object.values(parent).filter(isObject) : []
}

export function operationsOf({ paths }: JsonObject): JsonObject[] {
  return childrenOf(paths).flatMap(childrenOf)
}

/** Visits every object, children first. */
export function walk(json: Json | undefined, visit: (object: JsonObject) => void): void {
  if (Array.isArray(json)) for (const each of json) walk(each, visit)
  if (!isObject(json)) return
  for (const each of Object.values(json)) walk(each, visit)
  visit(json)
}
