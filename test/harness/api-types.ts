import { spawnSync } from 'node:child_process'
import { register } from 'node:module'
import { buildApp } from '../../src/app.js'
import { readConfig } from '../../src/config/environment.js'

/** The types of the API for the example client. */
export const typesFile = 'examples/api/types.d.ts'

// openapi-typescript uses the compiler API, which TypeScript 7 does not have. It gets TypeScript 5 instead.
const compilerHook = `export function resolve(specifier, context, next) {
  const isFromGenerator = context.parentURL?.includes('/node_modules/openapi-typescript/')
  return next(specifier === 'typescript' && isFromGenerator ? 'typescript-5' : specifier, context)
}`

/** Types generated from `/docs/json`, without the optional purge route. */
export async function generateTypes(): Promise<string> {
  register(`data:text/javascript,${encodeURIComponent(compilerHook)}`)
  const { default: openapiTS, astToString } = await import('openapi-typescript')
  const app = await buildApp({ config: readConfig({}), upstreamUrl: 'http://127.0.0.1:1' }) // not called
  try {
    const description = (await app.inject('/docs/json')).json()
    return formatted(
      `// Written by \`npm run docs:client\` from /docs/json.\n${astToString(await openapiTS(description))}`,
    )
  } finally {
    await app.close()
  }
}

function formatted(source: string): string {
  const { status, stdout, stderr } = spawnSync(
    'node_modules/.bin/biome',
    ['format', `--stdin-file-path=${typesFile}`],
    {
      input: source,
      encoding: 'utf8',
    },
  )
  if (status !== 0) throw new Error(stderr)
  return stdout
}
