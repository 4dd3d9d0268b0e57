/** Internet checksums, summed from the beginning: RFC 1071. What a program changed step by step is compared with this. */

/** One's complement sum of bytes[from…to), folded; an odd byte counts as the upper half. */
export function sum(bytes: Uint8Array, from: number, to: number, start = 0): number {
  let total = start;
  for (let i = from; i + 1 < to; i += 2) total += (bytes[i]! << 8) | bytes[i + 1]!;
  if ((to - from) & 1) total += bytes[to - 1]! << 8;
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return total;
}

/** Of IPv4's header at `ip`. */
export function headerSum(frame: Uint8Array, ip: number): number {
  return sum(frame, ip, ip + 20);
}

/** Of what follows the header at `ip` with its pseudo header. */
export function transportSum(frame: Uint8Array, ip: number, version: 4 | 6, protocol: number, length: number): number {
  const pseudo = version === 4 ? sum(frame, ip + 12, ip + 20) : sum(frame, ip + 8, ip + 40);
  const body = ip + (version === 4 ? 20 : 40);
  return sum(frame, body, Math.min(body + length, frame.length), pseudo + protocol + length);
}

/** Both mean the same: 0 and 0xffff are one number. */
export function same(a: number, b: number): boolean {
  return a % 0xffff === b % 0xffff;
}
