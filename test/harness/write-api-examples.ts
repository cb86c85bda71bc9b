// `npm run docs:examples` records responses of the application as examples of the API description. A test fails if they are
// outdated.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { recordExamples } from './api-examples.js'

const file = 'src/docs/examples.ts'
const examples = await recordExamples({ upstreamTimeoutMs: 2_000 }) // the default, as the detail of the 504 contains it
const source = `// Written by \`npm run docs:examples\`: responses of the application with the demo marketplace.
import type { Examples } from './recorded.js'

export const examples: Examples = ${JSON.stringify(examples)}
`
const formatted = spawnSync('node_modules/.bin/biome', ['format', `--stdin-file-path=${file}`], { input: source })
if (formatted.status !== 0) throw new Error(String(formatted.stderr))
writeFileSync(file, formatted.stdout)
