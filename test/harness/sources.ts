import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The text of all sources in a folder, without what is built or installed there. */
export async function sourceOf(folder: string): Promise<string> {
  const names = await readdir(folder, { recursive: true })
  const files = names.filter((name) => /\.[jt]s$/.test(name) && !/(?:^|\/)(?:dist|node_modules)\//.test(name))
  return (await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')))).join('\n')
}
