// `npm run docs:examples`: records the responses of the application for the API description. A test fails when they change.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { examplesFile } from '../../src/docs/add-examples.js'
import { recordExamples } from './api-examples.js'

const file = fileURLToPath(examplesFile)
const source = JSON.stringify(await recordExamples({ upstreamTimeoutMs: 2_000 })) // the default, which the 504 mentions
const formatted = spawnSync('node_modules/.bin/biome', ['format', `--stdin-file-path=${file}`], { input: source })
if (formatted.status !== 0) throw new Error(String(formatted.stderr))
writeFileSync(file, formatted.stdout)
