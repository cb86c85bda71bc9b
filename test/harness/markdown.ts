import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A fenced block of a page. */
export interface CodeBlock {
  readonly page: string
  /** Line of its first line of code, from 1. */
  readonly line: number
  readonly language: string
  readonly code: string
}

/** The pages of these folders. */
export async function pagesIn(folders: readonly string[]): Promise<string[]> {
  const names = await Promise.all(
    folders.map(async (folder) => (await readdir(folder)).map((name) => join(folder, name))),
  )
  return names.flat().filter((name) => name.endsWith('.md'))
}

/** The fenced blocks of a page. */
export async function codeBlocksOf(page: string): Promise<CodeBlock[]> {
  const text = await readFile(page, 'utf8')
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(({ index, 1: language = '', 2: code = '' }) => ({
    page,
    line: text.slice(0, index).split('\n').length + 1,
    language,
    code,
  }))
}

/** The code spans in the first column of each table under a heading, without arguments: `purge` of `purge({ tags })`. */
export async function namesInTables(page: string, heading: string): Promise<string[][]> {
  const section = await sectionOf(page, heading)
  const tables = section.match(/(?:^\|.*\n)+/gm) ?? []
  return tables.map((table) => {
    const rows = table.split('\n').slice(2)
    return rows.flatMap((row) => {
      const [, cell = ''] = /^\|((?:[^|]|\\\|)*)\|/.exec(row) ?? []
      return [...cell.matchAll(/`([\w:-]+)[^`]*`/g)].map(([, name = '']) => name)
    })
  })
}

/** What stands under a heading, to the next heading. */
async function sectionOf(page: string, heading: string): Promise<string> {
  const text = `${await readFile(page, 'utf8')}\n# end`
  const start = text.split('\n').findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading)
  if (start < 0) throw new Error(`${page} has no heading '${heading}'`)
  const lines = text.split('\n').slice(start + 1)
  return `${lines
    .slice(
      0,
      lines.findIndex((line) => /^#+ /.test(line)),
    )
    .join('\n')}\n`
}
