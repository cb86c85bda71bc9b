/** What a schema of an object says of its members' names. */
export interface SchemaNames {
  /** Every name that the schema mentions. */
  readonly names: ReadonlySet<string>
  /** Names without which no value is valid. */
  readonly required: ReadonlySet<string>
  /** Why there may be members of other names that the schema describes; `undefined`: there are none. */
  readonly openReason: string | undefined
}

/** Gives the schema with this id, which the application has added. */
export type FindSchema = (id: string) => unknown

interface Found {
  readonly names: Set<string>
  readonly required: Set<string>
  openReason: string | undefined
}

/** A schema within the document that local references refer to. */
interface Place {
  readonly schema: unknown
  readonly document: unknown
  /** Whether every valid value matches the schema. */
  readonly isCertain: boolean
}

/** Keywords with schemas of the same object that need not apply. */
const conditional = ['if', 'then', 'else', 'not'] as const
/** The same, with lists of schemas. */
const alternatives = ['anyOf', 'oneOf'] as const
/** References that depend on how the schema was reached. */
const dynamicReferences = ['$dynamicRef', '$recursiveRef'] as const
/** Keywords with a schema for members that are not listed. */
const forOtherNames = ['additionalProperties', 'unevaluatedProperties'] as const

/** Collects the names that a JSON schema mentions, in all schemas that apply to the same object. */
export function readSchemaNames(schema: unknown, findSchema: FindSchema): SchemaNames {
  const found: Found = { names: new Set(), required: new Set(), openReason: undefined }
  const visited = { certain: new Set<unknown>(), conditional: new Set<unknown>() }
  const pending: Place[] = [{ schema, document: schema, isCertain: true }]
  for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
    const before = place.isCertain ? visited.certain : visited.conditional
    if (before.has(place.schema) || typeof place.schema === 'boolean') continue
    before.add(place.schema)
    if (isRecord(place.schema)) pending.push(...readSchema(place.schema, place, found, findSchema))
    else found.openReason ??= 'a part of it is not a JSON schema'
  }
  return found
}

/** Reads one schema; gives those that apply to the same object. */
function readSchema(
  schema: Record<string, unknown>,
  { document: outer, isCertain }: Place,
  found: Found,
  findSchema: FindSchema,
): Place[] {
  const document = typeof schema.$id === 'string' ? schema : outer
  readNames(schema, isCertain, found)
  found.openReason ??= openReasonOf(schema)
  const places = (schemas: readonly unknown[], isSure: boolean) =>
    schemas.map((other) => ({ schema: other, document, isCertain: isCertain && isSure }))
  const optional = [
    ...conditional.map((keyword) => schema[keyword]),
    ...alternatives.flatMap((keyword) => listOf(schema[keyword])),
    ...['dependencies', 'dependentSchemas'].flatMap((keyword) => Object.values(recordOf(schema[keyword]))),
  ].filter((other) => other !== undefined && !Array.isArray(other))
  const referenced = typeof schema.$ref === 'string' ? resolve(schema.$ref, document, findSchema) : undefined
  if (schema.$ref !== undefined && referenced === undefined) {
    found.openReason ??= `${schema.$ref} cannot be resolved`
  }
  return [
    ...places(listOf(schema.allOf), true),
    ...places(optional, false),
    ...(referenced === undefined ? [] : [{ ...referenced, isCertain }]),
  ]
}

function readNames(schema: Record<string, unknown>, isCertain: boolean, { names, required }: Found): void {
  const requiredHere = listOf(schema.required).filter((name) => typeof name === 'string')
  const dependent = [recordOf(schema.dependentRequired), recordOf(schema.dependencies)]
  const mentioned = [
    ...Object.keys(recordOf(schema.properties)),
    ...Object.keys(recordOf(schema.dependentSchemas)),
    ...dependent.flatMap((record) => [...Object.keys(record), ...Object.values(record).flatMap(listOf)]),
    ...requiredHere,
  ]
  for (const name of mentioned) if (typeof name === 'string') names.add(name)
  if (isCertain) for (const name of requiredHere) required.add(name)
}

function openReasonOf(schema: Record<string, unknown>): string | undefined {
  if (schema.$async === true) return 'it is asynchronous'
  const dynamic = dynamicReferences.find((keyword) => keyword in schema)
  if (dynamic !== undefined) return `it has ${dynamic}`
  if (Object.keys(recordOf(schema.patternProperties)).length > 0) return 'it has patternProperties'
  const other = forOtherNames.find((keyword) => isRecord(schema[keyword]))
  return other && `${other} describes parameters that it does not name`
}

/** The schema that a reference names: of the same document, or one that the application has added. */
function resolve(reference: string, document: unknown, findSchema: FindSchema): Omit<Place, 'isCertain'> | undefined {
  const [id = '', pointer = ''] = reference.split('#')
  const target = id === '' ? document : (findSchema(id) ?? findSchema(`${id}#`))
  if (!isRecord(target) || (pointer !== '' && !pointer.startsWith('/'))) return undefined
  let schema: unknown = target
  for (const part of pointer.split('/').slice(1)) {
    const name = decodePointer(part)
    if (name === undefined || typeof schema !== 'object' || schema === null || !Object.hasOwn(schema, name)) {
      return undefined
    }
    schema = Reflect.get(schema, name)
  }
  return { schema, document: target }
}

/** RFC 6901 §6. */
function decodePointer(part: string): string | undefined {
  try {
    return decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function recordOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {}
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
