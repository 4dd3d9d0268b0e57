/**
 * The payload of a NAL unit without its first byte and without emulation prevention: 00 00 03 becomes 00 00 (ITU-T H.264 section 7.4.1, H.265 section 7.4.2).
 * A header of two bytes leaves its second one in front.
 */
export function rawPayload(nal: Uint8Array): Uint8Array {
  const payload = new Uint8Array(Math.max(nal.length - 1, 0));
  let length = 0;
  let zeros = 0;
  for (let i = 1; i < nal.length; i++) {
    const byte = nal[i]!;
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    payload[length++] = byte;
  }
  return payload.subarray(0, length);
}
