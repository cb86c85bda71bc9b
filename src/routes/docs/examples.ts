import type { Examples } from './show-examples.js'

export const examples: Examples = {}
