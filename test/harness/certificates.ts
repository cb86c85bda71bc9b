import { execFileSync } from 'node:child_process'

/** Files of a TLS server. */
export interface Certificate {
  readonly certFile: string
  readonly keyFile: string
  /** The authority that issued it. */
  readonly caFile: string
}

export interface Authority {
  readonly caFile: string
  /** A certificate for these names, such as `DNS:localhost` or `IP:127.0.0.1`. */
  issue(...names: readonly string[]): Certificate
}

/** Creates a private certificate authority with its files in the directory. */
export function createAuthority(directory: string, name: string): Authority {
  const caFile = `${directory}/${name}.crt`
  const caKeyFile = `${directory}/${name}.key`
  let issued = 0
  createCertificate(caFile, caKeyFile, [])
  return {
    caFile,
    issue(...names) {
      issued += 1
      const certFile = `${directory}/${name}-${issued}.crt`
      const keyFile = `${directory}/${name}-${issued}.key`
      const extension = `subjectAltName=${names.join(',')}`
      createCertificate(certFile, keyFile, ['-CA', caFile, '-CAkey', caKeyFile, '-addext', extension])
      return { certFile, keyFile, caFile }
    },
  }
}

function createCertificate(certFile: string, keyFile: string, more: readonly string[]): void {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile]
  const subject = ['-subj', `/CN=${certFile.split('/').at(-1)}`, '-days', '2', '-out', certFile]
  execFileSync('openssl', ['req', '-x509', ...key, ...subject, ...more], { stdio: 'ignore' })
}
