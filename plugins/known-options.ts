/**
 * Throws the plugin's own error where an option is none of those that it knows: a name that is mistyped would leave it
 * with another behaviour than the one that was asked for.
 */
export function refuseUnknown(
  options: object,
  known: Readonly<Record<string, true>>,
  InvalidOption: new (complaint: string) => Error,
): void {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(known, name))
  if (unknown !== undefined) throw new InvalidOption(`there is no option ${unknown}`)
}
