import t from 'tap'
import { readSchemaNames } from '../../../plugins/edge/schema-names.js'

const text = { type: 'string' }
const added: Record<string, unknown> = {
  paging: { $id: 'paging', type: 'object', properties: { page: text }, required: ['page'] },
  nested: { $id: 'nested', definitions: { q: { properties: { q: text } } }, allOf: [{ $ref: '#/definitions/q' }] },
  'hash#': { properties: { hashed: text } },
}
const read = (schema: unknown) => readSchemaNames(schema, (id) => added[id])

t.test('all names are found that a schema mentions of one object', async (t) => {
  const cases: readonly (readonly [schema: object, names: string, required?: string])[] = [
    [{ type: 'object', properties: { b: text, a: text } }, 'a,b'],
    [{ type: ['object', 'null'], properties: { a: text } }, 'a'],
    [{ type: 'object', properties: { a: text }, required: ['b'] }, 'a,b', 'b'],
    [{ allOf: [{ properties: { a: text }, required: ['a'] }, { properties: { b: text } }] }, 'a,b', 'a'],
    [{ anyOf: [{ properties: { a: text }, required: ['a'] }, { properties: { b: text } }] }, 'a,b'],
    [{ oneOf: [{ properties: { a: text } }, true, { properties: { b: text } }] }, 'a,b'],
    [{ properties: { a: text }, if: { properties: { b: text } }, else: { properties: { c: text } } }, 'a,b,c'],
    [{ properties: { a: text }, not: { required: ['b'] } }, 'a,b'],
    [{ $ref: 'paging' }, 'page', 'page'],
    [{ $ref: 'paging#' }, 'page', 'page'],
    [{ $ref: 'hash' }, 'hashed'],
    [{ $ref: 'nested' }, 'q'],
    [{ $ref: 'nested#/definitions/q' }, 'q'],
    [{ $ref: '#/$defs/a~1b', $defs: { 'a/b': { properties: { c: text } } } }, 'c'],
    [{ properties: { a: { properties: { inner: text }, patternProperties: { x: text } } } }, 'a'],
    [{ properties: { a: text }, dependencies: { b: ['c'], d: { properties: { e: text } } } }, 'a,b,c,d,e'],
    [{ dependentRequired: { a: ['b'] }, dependentSchemas: { c: { required: ['d'] } } }, 'a,b,c,d'],
    [{ properties: { a: text }, additionalProperties: false, unevaluatedProperties: true }, 'a'],
  ]
  for (const [schema, names, required = ''] of cases) {
    const found = read(schema)
    t.equal([...found.names].sort().join(), names, JSON.stringify(schema))
    t.equal([...found.required].sort().join(), required)
    t.equal(found.openReason, undefined)
  }
})

t.test('a schema that describes other names, or that cannot be read, is open', async (t) => {
  const properties = { a: text }
  for (const [schema, reason] of [
    [{ properties, patternProperties: { '^x': text } }, /patternProperties/],
    [{ properties, additionalProperties: text }, /additionalProperties/],
    [{ properties, allOf: [{ unevaluatedProperties: text }] }, /unevaluatedProperties/],
    [{ $ref: 'missing' }, /missing cannot be resolved/],
    [{ $ref: '#/definitions/missing' }, /cannot be resolved/],
    [{ $ref: '#anchor' }, /cannot be resolved/],
    [{ $ref: '#/%zz' }, /cannot be resolved/],
    [{ $dynamicRef: '#node', properties }, /\$dynamicRef/],
    [{ $async: true, properties }, /asynchronous/],
    [{ allOf: ['text'] }, /not a JSON schema/],
  ] as const) {
    t.match(read(schema).openReason, reason, JSON.stringify(schema))
  }
})

t.test('a schema that refers to itself is read once', async (t) => {
  const tree = { $id: 'tree', properties: { a: text }, anyOf: [{ $ref: '#' }], allOf: [{ $ref: '#' }] }
  t.strictSame([...read(tree).names], ['a'])
})
