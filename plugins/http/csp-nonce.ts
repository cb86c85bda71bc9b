import { type FieldLines, headerValues } from './fields.js'

const policies = ['content-security-policy', 'content-security-policy-report-only']

/**
 * Whether a content security policy allows elements by a nonce. A server generates one for each response, so that no response with it
 * can be sent twice. CSP Level 3 §2.3.1.
 */
export function hasNonce(fields: Readonly<Record<string, FieldLines | number | undefined>>): boolean {
  return policies.some((name) => {
    const policy = fields[name]
    return policy !== undefined && headerValues(policy as FieldLines).some((line) => /'nonce-/i.test(line)) // a number has none
  })
}
