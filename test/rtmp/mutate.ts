/** Damage to recorded RTMP sessions: bits flipped, ends cut off, pieces spliced, swapped and repeated. */
import type { Prng } from "../../src/base/prng.ts";

/** Of a client: C0, C1 and C2. */
export const HANDSHAKE_BYTES = 3073;

/** One to four changes, mostly behind the handshake. */
export function mutate(session: Uint8Array, random: Prng): Uint8Array {
  let bytes = session.slice();
  for (let changes = 1 + random.below(4); changes > 0 && bytes.length > 8; changes--) {
    const from = random.chance(0.05) || bytes.length <= HANDSHAKE_BYTES ? 0 : HANDSHAKE_BYTES;
    const at = from + random.below(bytes.length - from);
    const length = random.below(Math.min(300, bytes.length - at));
    const kind = random.below(6);
    if (kind === 0) for (let i = 0; i < 8; i++) bytes[from + random.below(bytes.length - from)]! ^= 1 << random.below(8);
    else if (kind === 1) bytes = bytes.slice(0, Math.max(at, 1));
    else if (kind === 2) bytes = concatenate(bytes.subarray(0, at), bytes.subarray(at + length));
    else if (kind === 3) bytes = concatenate(bytes.subarray(0, at), bytes.subarray(from, from + length), bytes.subarray(at));
    else if (kind === 4) bytes = concatenate(bytes.subarray(0, at), bytes.subarray(at + length), bytes.subarray(at, at + length));
    else random.fill(bytes.subarray(at, at + Math.min(length, 16)));
  }
  return bytes;
}

function concatenate(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
