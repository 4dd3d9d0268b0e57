/**
 * NAL units as a byte stream, each behind a start code 00 00 01, as transport streams carry those of H.264 and H.265 (ITU-T H.264 annex B, H.265 annex B).
 *
 * One scanner is kept and used again: what it found last is in `start` and `end`, and nothing is allocated a picture.
 */

export class AnnexB {
  readonly start: Int32Array;
  readonly end: Int32Array;
  length = 0;

  /** Most NAL units of one picture: more is taken for damage. */
  constructor(unitsMax = 1024) {
    this.start = new Int32Array(unitsMax);
    this.end = new Int32Array(unitsMax);
  }

  /** Finds the units in bytes[start…end), without their start codes and the zeros behind them. False: there are too many, or none. */
  scan(bytes: Uint8Array, start: number, end: number): boolean {
    this.length = 0;
    let open = false;
    for (let at = start + 2; at < end; ) {
      const byte = bytes[at]!;
      if (byte > 1) at += 3;
      else if (byte === 0) at++;
      else if (bytes[at - 1] !== 0 || bytes[at - 2] !== 0) at += 3;
      else {
        if (open) this.#close(bytes, at - 2);
        if (this.length === this.start.length) return false;
        this.start[this.length] = at + 1;
        open = true;
        at += 3;
      }
    }
    if (open) this.#close(bytes, end);
    return this.length > 0;
  }

  /** An empty unit is none. */
  #close(bytes: Uint8Array, limit: number): void {
    const start = this.start[this.length]!;
    let end = limit;
    while (end > start && bytes[end - 1] === 0) end--;
    if (end === start) return;
    this.end[this.length++] = end;
  }
}
