import type { channels } from 'fastify-vitrine/cache'

/** Subscribes to the events of one cache: all caches of a process share the channels. Returns a function that unsubscribes. */
export function subscribeToCache<Event extends { readonly cache: string }>(
  channel: (typeof channels)['read'],
  cacheName: string,
  onEvent: (event: Event) => void,
): () => void {
  const listener = (message: unknown) => {
    const event = message as Event // documented by the channel
    if (event.cache === cacheName) onEvent(event)
  }
  channel.subscribe(listener)
  return () => channel.unsubscribe(listener)
}
