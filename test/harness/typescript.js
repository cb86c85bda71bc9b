// Runs the TypeScript sources as they are, for tests: types are blanked out, so every line and column stays where it is
// and the coverage report can be believed. (tsx joins lines, and its coverage was 100 % whatever the tests did.)
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { register } from 'node:module'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import { transformSync } from '@swc/wasm-typescript'

if (isMainThread) register(import.meta.url)

/** An import says `./entry.js`, as the compiled code will; the source beside it is `./entry.ts`. */
export async function resolve(specifier, context, next) {
  if (!/^\.{1,2}\/.*\.js$/.test(specifier)) return next(specifier, context)
  const source = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL)
  return existsSync(source) ? next(source.href, context) : next(specifier, context)
}

export async function load(url, context, next) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context)
  const { code } = transformSync(await readFile(fileURLToPath(url), 'utf8'), { mode: 'strip-only' })
  return { format: 'module', source: code, shortCircuit: true }
}
