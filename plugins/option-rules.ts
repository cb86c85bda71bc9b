/** What one option of a plugin must be, and its default. */
export interface OptionRule<T> {
  readonly defaultValue: T
  readonly isValid: (value: unknown) => boolean
  /** Completes "name must be …" in the error. */
  readonly expected: string | ((value: unknown) => string)
}

export type Resolved<Rules> = { readonly [Name in keyof Rules]: Rules[Name] extends OptionRule<infer T> ? T : never }

/** Throws the plugin's own error for an option that does not exist: with a mistyped name the plugin would use a default. */
function assertKnownOptions(
  options: object,
  known: Readonly<Record<string, unknown>>,
  InvalidOption: new (message: string) => Error,
): void {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(known, name))
  if (unknown !== undefined) throw new InvalidOption(`there is no option ${unknown}`)
}

/** The options with their defaults; throws the plugin's own error, which names the option that is unknown or invalid. */
export function resolveByRules<Rules extends Readonly<Record<string, OptionRule<unknown>>>>(
  options: object,
  rules: Rules,
  InvalidOption: new (message: string) => Error,
): Resolved<Rules> {
  assertKnownOptions(options, rules, InvalidOption)
  const resolved = Object.entries(rules).map(([name, { defaultValue, isValid, expected }]) => {
    const value: unknown = Reflect.get(options, name)
    if (value !== undefined && !isValid(value)) {
      throw new InvalidOption(`${name} must be ${typeof expected === 'string' ? expected : expected(value)}`)
    }
    return [name, value ?? defaultValue]
  })
  return Object.fromEntries(resolved) as Resolved<Rules> // the same names, each checked by its rule
}

/** The rules of a plugin's options: one for each. */
export type RulesOf<Options> = { readonly [Name in keyof Required<Options>]: OptionRule<Options[Name]> }

export function rule<T>(defaultValue: T, isValid: (value: unknown) => boolean, expected: string): OptionRule<T> {
  return { defaultValue, isValid, expected }
}

/** Maximum of lifetimes in seconds. */
export const maxSeconds = 366 * 86_400
/** A Node.js timer with a longer delay fires at once. */
const maxTimerMs = 2 ** 31 - 1
/** A maximum that messages do not state. */
const unlimited = Number.MAX_SAFE_INTEGER

/** An integer from `min` to `max`. */
export function integerRule<Default extends number | undefined>(
  defaultValue: Default,
  min: number,
  max = unlimited,
): OptionRule<Default | number> {
  const isValid = (value: unknown) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max
  return { defaultValue, isValid, expected: `an integer ${range(min, max)}` }
}

/** Milliseconds of a timer, from `min`. */
export function timerRule(defaultValue: number, min = 1): OptionRule<number> {
  return integerRule(defaultValue, min, maxTimerMs)
}

/** A number from `min` to `max`. */
export function numberRule<Default extends number | undefined>(
  defaultValue: Default,
  min: number,
  max = unlimited,
): OptionRule<Default | number> {
  const isValid = (value: unknown) => typeof value === 'number' && value >= min && value <= max
  return { defaultValue, isValid, expected: `a number ${range(min, max)}` }
}

/** A number greater than 0, up to `max`. */
export function positiveRule<Default extends number | undefined>(
  defaultValue: Default,
  max = unlimited,
): OptionRule<Default | number> {
  const isValid = (value: unknown) => typeof value === 'number' && value > 0 && value <= max
  return { defaultValue, isValid, expected: `a number greater than 0${max === unlimited ? '' : ` and at most ${max}`}` }
}

/** `true` or `false`. */
export function booleanRule<Default extends boolean | undefined>(defaultValue: Default): OptionRule<Default | boolean> {
  return { defaultValue, isValid: (value) => typeof value === 'boolean', expected: 'true or false' }
}

/** A function. */
export function functionRule<F>(defaultValue: F): OptionRule<F> {
  return { defaultValue, isValid: (value) => typeof value === 'function', expected: 'a function' }
}

function range(min: number, max: number): string {
  return max === unlimited ? `of at least ${min}` : `from ${min} to ${max}`
}
