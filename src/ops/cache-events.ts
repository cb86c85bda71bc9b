import type { channels } from 'fastify-vitrine/cache'

/**
 * Hears what one cache tells, by the key prefix that it names itself with: every cache of the process tells on the same
 * channels. Returns what ends it.
 */
export function subscribeToCache<Event extends { readonly cache: string }>(
  channel: (typeof channels)['read'],
  cacheName: string,
  hear: (event: Event) => void,
): () => void {
  const listener = (message: unknown) => {
    const event = message as Event // what the channel's own documentation says it carries
    if (event.cache === cacheName) hear(event)
  }
  channel.subscribe(listener)
  return () => channel.unsubscribe(listener)
}
