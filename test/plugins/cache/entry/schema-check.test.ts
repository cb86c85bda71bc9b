import { type TSchema, Type } from '@sinclair/typebox'
import t from 'tap'
import { SchemaChecks } from '../../../../plugins/cache/entry/schema-check.js'
import { startPlugins } from '../../../harness/plugins.js'

t.test('compiles a schema once, with a fingerprint that differs between schemas', async (t) => {
  const checks = new SchemaChecks()
  const schema = Type.Object({ a: Type.Number() })
  t.equal(checks.of(schema), checks.of(schema))
  t.ok(checks.of(schema).accepts({ a: 1 }))
  t.notOk(checks.of(schema).accepts({ a: 'x' }))
  t.not(checks.of(schema).fingerprint, checks.of(Type.Object({})).fingerprint)
})

const zod = { '~standard': { version: 1, vendor: 'zod', validate: () => ({ value: 1 }) }, parse: () => 1 }
const arktype = Object.assign(() => 1, {
  '~standard': { version: 1, vendor: 'arktype', validate: () => ({ value: 1 }) },
})
const plain: unknown = { type: 'object' }
const typebox1 = Object.defineProperty({ type: 'object', properties: {} }, '~kind', { value: 'Object' })

const wrongSchemas: [title: string, schema: unknown, found: string][] = [
  ['plain JSON Schema', { type: 'object' }, 'plain JSON Schema: write it with Type.Object({ … })'],
  ['an empty object', {}, 'plain JSON Schema: write it with Type.Object({ … })'],
  ['plain JSON Schema in a part', Type.Object({ a: plain as TSchema }), 'one with a part that is not'],
  ['typebox 1', typebox1, 'a schema of typebox 1'],
  ['Zod', zod, 'a Standard Schema of zod'],
  ['ArkType', arktype, 'a Standard Schema of arktype'],
  ['a function', () => true, 'a function'],
  ['null', null, 'null'],
  ['text', 'object', 'object'],
  ['a number', 5, '5'],
  ['a reference to a missing schema', Type.Ref('missing'), 'one that does not compile: Unable to dereference'],
  ['a value that JSON does not have', Type.BigInt({ minimum: 1n }), 'one that does not compile: Do not know how to'],
]
for (const [title, wrong, found] of wrongSchemas) {
  t.test(`a schema that is not of TypeBox 0.34 is refused by name: ${title}`, async (t) => {
    const { cache } = (await startPlugins(t)).app
    const schema = wrong as TSchema // wrong on purpose
    await cache.set('stored', {})
    const refused = async (work: Promise<unknown>) => {
      const error = await work.then(String, (error: unknown) => error)
      t.match(error, { code: 'VITRINE_CACHE_OPTION' })
      const message = error instanceof Error ? error.message : ''
      t.ok(
        message.startsWith(`fastify.cache: schema must be a schema of @sinclair/typebox 0.34; this is ${found}`),
        message,
      )
    }
    for (const key of ['k', 'stored']) {
      await refused(cache.fetch(key, () => ({}), { schema }))
      await refused(cache.read(key, () => ({}), { schema }))
      await refused(cache.get(key, { schema }))
      await refused(cache.set(key, {}, { schema }))
    }
  })
}
