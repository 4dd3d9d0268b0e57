/**
 * One picture out of an Annex B byte stream: its parameter sets, and the rest with lengths for start codes. Sets that are in the configuration already are left out;
 * others, of encoders that have several, stay where they are.
 */
import { AnnexB } from "../nal/annex-b.ts";
import type { VideoTrack } from "../unit.ts";
import { KEPT, LEFT_OUT, type VideoCodec } from "./video-codec.ts";

const SET_BYTES_MAX = 4096;
const LENGTH_BYTES = 4;

export class PictureReader {
  readonly codec: VideoCodec;
  readonly #units = new AnnexB();
  readonly #known: (Uint8Array | undefined)[];
  /** This picture's first set of each kind: place in #units, −1 = none. */
  readonly #found: number[];

  constructor(codec: VideoCodec) {
    this.codec = codec;
    this.#known = Array.from({ length: codec.sets }, () => undefined);
    this.#found = Array.from({ length: codec.sets }, () => -1);
  }

  /** Finds what is in bytes[start…end). False: nothing that can be read. */
  scan(bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.#units.scan(bytes, start, end)) return false;
    this.#found.fill(-1);
    for (let i = 0; i < this.#units.length; i++) {
      const kind = this.#kind(bytes, i);
      if (kind >= 0 && this.#found[kind]! < 0) this.#found[kind] = i;
    }
    return true;
  }

  /** A configuration made of the sets that `scan` found, where one differs from what is known; undefined: none is new, or they are damaged. */
  configuration(bytes: Uint8Array): VideoTrack | undefined {
    if (this.#found.every((i, kind) => i < 0 || this.#same(bytes, i, kind))) return undefined;
    const sets = this.#found.map((i, kind) => (i < 0 ? this.#known[kind] : bytes.slice(this.#units.start[i]!, this.#units.end[i]!)));
    if (sets.some((set) => set === undefined || set.length > SET_BYTES_MAX)) return undefined;
    const track = this.codec.configure(sets as Uint8Array[]);
    if (track !== undefined) for (const [kind, set] of sets.entries()) this.#known[kind] = set;
    return track;
  }

  /** The picture that `scan` found, as containers hold it; a copy. */
  picture(bytes: Uint8Array): Uint8Array {
    let length = 0;
    for (let i = 0; i < this.#units.length; i++)
      if (this.#keeps(bytes, i)) length += LENGTH_BYTES + this.#units.end[i]! - this.#units.start[i]!;
    const picture = new Uint8Array(length);
    let at = 0;
    for (let i = 0; i < this.#units.length; i++) {
      if (!this.#keeps(bytes, i)) continue;
      const [start, end] = [this.#units.start[i]!, this.#units.end[i]!];
      const n = end - start;
      picture[at] = n >>> 24;
      picture[at + 1] = n >>> 16;
      picture[at + 2] = n >>> 8;
      picture[at + 3] = n;
      picture.set(bytes.subarray(start, end), at + LENGTH_BYTES);
      at += LENGTH_BYTES + n;
    }
    return picture;
  }

  #kind(bytes: Uint8Array, i: number): number {
    return this.codec.kinds[bytes[this.#units.start[i]!]!]!;
  }

  #keeps(bytes: Uint8Array, i: number): boolean {
    const kind = this.#kind(bytes, i);
    return kind === KEPT || (kind !== LEFT_OUT && !this.#same(bytes, i, kind));
  }

  #same(bytes: Uint8Array, i: number, kind: number): boolean {
    const known = this.#known[kind];
    const [start, end] = [this.#units.start[i]!, this.#units.end[i]!];
    if (known === undefined || known.length !== end - start) return false;
    for (let k = 0; k < known.length; k++) if (known[k] !== bytes[start + k]) return false;
    return true;
  }
}
