/** Pieces of one buffer, such as packets of a batch: piece i is bytes[start[i]…end[i]), none when end[i] < 0. */
export interface Ranges {
  readonly bytes: Uint8Array;
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly length: number;
}
