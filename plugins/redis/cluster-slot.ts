const slotCount = 16_384

/** The slot of a Redis Cluster, 0 to 16,383, that a key belongs to: CRC16 (XMODEM) of the key or of its hash tag. */
export function clusterSlot(key: string): number {
  let crc = 0
  for (const byte of Buffer.from(hashTag(key))) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit += 1) crc = ((crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021) & 0xffff
  }
  return crc % slotCount
}

/** The text between the first brace and the first closing brace after it, unless it is empty; else the key. */
function hashTag(key: string): string {
  const start = key.indexOf('{') + 1
  const end = key.indexOf('}', start)
  return start > 0 && end > start ? key.slice(start, end) : key
}
