// Compiles both packages, `plugins/` first because `src/` reads its types.
// Each build goes to a folder of its own and is renamed into place whole, so that several starts on one checkout,
// or a build beside a running server, never see half a build.
//   --if-missing   build only where there is no build (npm start)
//   --if-possible  where the compiler is not installed, leave things as they are (npm ci in a slim image)
import { spawnSync } from 'node:child_process'
import { existsSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('.', import.meta.url))
const options = new Set(process.argv.slice(2))
const packages = [
  { project: 'plugins', output: 'plugins/dist' },
  { project: 'src', output: 'dist' },
]

if (options.has('--if-missing') && packages.every(({ output }) => existsSync(join(root, output)))) process.exit(0)

const compiler = findCompiler()
if (compiler === undefined) {
  if (options.has('--if-possible')) process.exit(0)
  console.error('build: there is no build here and no compiler either; run `npm ci` first')
  process.exit(1)
}
for (const each of packages) build(each)

function findCompiler() {
  try {
    return join(createRequire(import.meta.url).resolve('typescript/package.json'), '..', 'bin', 'tsc')
  } catch {
    return undefined
  }
}

function build({ project, output }) {
  const place = join(root, output)
  const fresh = join(root, project === 'src' ? '' : project, `.dist-${process.pid}`)
  const compiled = spawnSync(process.execPath, [compiler, '-p', join(root, project), '--outDir', fresh], {
    stdio: 'inherit',
  })
  if (compiled.status !== 0) {
    rmSync(fresh, { recursive: true, force: true })
    process.exit(compiled.status ?? 1)
  }
  const old = `${fresh}-old`
  try {
    if (!options.has('--if-missing') && existsSync(place)) renameSync(place, old)
    renameSync(fresh, place)
  } catch (error) {
    // Another build was in place first: it came from the same sources, so it serves as well.
    if (!existsSync(place)) throw error
  }
  rmSync(fresh, { recursive: true, force: true })
  rmSync(old, { recursive: true, force: true })
}
