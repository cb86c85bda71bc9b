import { type TSchema, Type } from '@sinclair/typebox'
import t from 'tap'
import { SchemaChecks } from '../../../../plugins/cache/entry/schema-check.js'
import { startPlugins } from '../../../harness/plugins.js'

const refusal = {
  code: 'VITRINE_CACHE_OPTION',
  message:
    'fastify.cache: schema must be a TypeBox schema, such as Type.Object({ … }); plain JSON Schema is not enough',
}

t.test('compiles a schema once, with a fingerprint that differs between schemas', async (t) => {
  const checks = new SchemaChecks()
  const schema = Type.Object({ a: Type.Number() })
  t.equal(checks.of(schema), checks.of(schema))
  t.ok(checks.of(schema).accepts({ a: 1 }))
  t.notOk(checks.of(schema).accepts({ a: 'x' }))
  t.not(checks.of(schema).fingerprint, checks.of(Type.Object({})).fingerprint)
})

t.test('plain JSON Schema is refused with VITRINE_CACHE_OPTION', async (t) => {
  const { cache } = (await startPlugins(t)).app
  const plain: unknown = { type: 'object' }
  for (const wrong of [plain, Type.Object({ a: plain as TSchema }), null, 'object']) {
    const schema = wrong as TSchema // wrong on purpose
    await t.rejects(
      cache.fetch('k', () => ({}), { schema }),
      refusal,
      JSON.stringify(wrong),
    )
    await t.rejects(cache.set('k', {}, { schema }), refusal)
    await t.rejects(cache.get('k', { schema }), refusal)
  }
})
