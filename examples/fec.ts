/** A lost packet rebuilt from parity: "two" never arrives and is printed. */
import { FecDecoder, FecEncoder, HEAD_BYTES } from "longhaul/fec";

const encoder = new FecEncoder({ dataShards: 3, parityShards: 1, profile: "2026", packetBytesMax: 1500 });
const decoder = new FecDecoder({ dataShards: 3, parityShards: 1, packetBytesMax: 1500 });
const bytes = new Uint8Array(1500);
const view = new DataView(bytes.buffer);
for (const text of ["one", "two", "three"]) {
  const end = HEAD_BYTES + new TextEncoder().encodeInto(text, bytes.subarray(HEAD_BYTES)).written;
  const parity = encoder.encode(0, bytes, view, HEAD_BYTES, end);
  if (text !== "two") decoder.receive(0, bytes, view, 0, end);
  if (parity > 0) decoder.receive(0, bytes, view, 0, encoder.parity(0, bytes, view, 0));
}
console.log(new TextDecoder().decode(bytes.subarray(0, decoder.recovered(bytes, view, 0))));
