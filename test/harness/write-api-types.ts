// `npm run docs:client` writes the types of the API for the example client. A test fails if they are outdated.
import { writeFileSync } from 'node:fs'
import { generateTypes, typesFile } from './api-types.js'

writeFileSync(typesFile, await generateTypes())
