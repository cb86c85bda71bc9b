// `npm run docs:client`: writes the types of the API for the client among the examples. A test says when it is time.
import { writeFileSync } from 'node:fs'
import { generateTypes, typesFile } from './api-types.js'

writeFileSync(typesFile, await generateTypes())
