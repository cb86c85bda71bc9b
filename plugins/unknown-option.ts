/** The first option that is none of those that a plugin knows: a slip of the pen that would otherwise go unnoticed. */
export function unknownOption(options: object, known: Readonly<Record<string, true>>): string | undefined {
  return Object.keys(options).find((name) => !Object.hasOwn(known, name))
}
