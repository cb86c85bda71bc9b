// Compiles both packages, `plugins/` first because `src/` imports its types.
// Each build is written to a temporary folder and renamed, so that concurrent starts and running servers never see an
// incomplete build.
//   --if-missing   build only if there is no build (npm start)
//   --if-possible  do nothing if the compiler is not installed (npm ci --omit=dev)
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
  console.error('build: the compiler is not installed, run `npm ci` first')
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
  const target = join(root, output)
  const temporary = join(root, project === 'src' ? '' : project, `.dist-${process.pid}`)
  const compiled = spawnSync(process.execPath, [compiler, '-p', join(root, project), '--outDir', temporary], {
    stdio: 'inherit',
  })
  if (compiled.status !== 0) {
    rmSync(temporary, { recursive: true, force: true })
    process.exit(compiled.status ?? 1)
  }
  const previous = `${temporary}-old`
  try {
    if (!options.has('--if-missing') && existsSync(target)) renameSync(target, previous)
    renameSync(temporary, target)
  } catch (error) {
    // A concurrent build of the same sources was renamed first.
    if (!existsSync(target)) throw error
  }
  rmSync(temporary, { recursive: true, force: true })
  rmSync(previous, { recursive: true, force: true })
}
