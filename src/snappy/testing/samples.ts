/** Inputs of the snappy tests and of bench/snappy.ts: from what compresses well to what does not at all. */
import { Prng } from "../../base/prng.ts";

export type SampleKind = "zeros" | "text" | "words" | "sparse" | "random";
export const sampleKinds: readonly SampleKind[] = ["zeros", "text", "words", "sparse", "random"];

/** The same kind, length and seed give the same bytes. */
export function sample(kind: SampleKind, n: number, seed = 1): Uint8Array {
  const prng = new Prng(seed);
  const bytes = new Uint8Array(n);
  switch (kind) {
    case "zeros":
      return bytes;
    case "random":
      return prng.fill(bytes);
    case "sparse":
      for (let i = 0; i < n; i += 1 + prng.below(40)) bytes[i] = prng.below(256);
      return bytes;
    case "text":
      for (let at = 0, line = 0; at < n; line++) at = put(bytes, at, `GET /segments/${line}.m4s HTTP/1.1\r\nhost: live.example\r\n\r\n`);
      return bytes;
    case "words": {
      const words = Array.from({ length: 500 }, () => `${prng.u32().toString(36)} `);
      for (let at = 0; at < n; ) at = put(bytes, at, words[prng.below(words.length)]!);
      return bytes;
    }
  }
}

function put(bytes: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length && at < bytes.length; i++) bytes[at++] = text.charCodeAt(i);
  return at;
}
