import { InvalidEnvironment } from './environment.js'

const redisVariables = ['REDIS_URL', 'REDIS_CLUSTER_NODES', 'REDIS_SENTINELS'] as const

/** One line that names the variable to change. The stack only for errors that no variable explains. */
export function formatStartError(error: unknown, environment: NodeJS.ProcessEnv): string {
  if (error instanceof InvalidEnvironment) return error.message
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error ? String(error.code) : ''
  if (code === 'EADDRINUSE') return `PORT must be a free port (${error.message})`
  if (code === 'EACCES') return `PORT must be a port that this user may listen on (${error.message})`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return `HOST must be an address of this machine (${error.message})`
  }
  if (code === 'VITRINE_REDIS_OPTION') {
    const name = redisVariables.find((name) => environment[name]) ?? 'REDIS_URL'
    return `${name} must be usable (${error.message})`
  }
  if (/^VITRINE_\w+_OPTION$/.test(code)) return error.message
  return error.stack ?? error.message
}
