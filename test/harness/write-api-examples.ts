// `npm run docs:examples`: asks the application and writes what it answers into the API description. A test says when it is time.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { recordExamples } from './api-examples.js'

const file = 'src/docs/examples.ts'
const examples = await recordExamples({ upstreamTimeoutMs: 2_000 }) // as it is by default, for the 504 says it
const source = `// Written by \`npm run docs:examples\`: what the application answered in front of its demo marketplace.
import type { Examples } from './recorded.js'

export const examples: Examples = ${JSON.stringify(examples)}
`
const formatted = spawnSync('node_modules/.bin/biome', ['format', `--stdin-file-path=${file}`], { input: source })
if (formatted.status !== 0) throw new Error(String(formatted.stderr))
writeFileSync(file, formatted.stdout)
