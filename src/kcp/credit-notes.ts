/** What was told to the peer, and what had come, by time: a ring of notes, so far apart that it spans a long round trip. */
import type { Millis, Seq32 } from "../base/units.ts";

/** Tuning. */
const NOTES = 256;
const APART_MS: Millis = 4;

export class CreditNotes {
  readonly #at = new Float64Array(NOTES);
  readonly #top = new Uint32Array(NOTES);
  readonly #edge = new Uint32Array(NOTES);
  #length = 0;

  /** `top`: behind the newest segment that has come; `edge`: behind the last one that the peer may send. What follows too soon is left out. */
  add(now: Millis, top: Seq32, edge: Seq32): void {
    if (this.#length > 0 && now - this.#at[(this.#length - 1) % NOTES]! < APART_MS) return;
    const i = this.#length++ % NOTES;
    this.#at[i] = now;
    this.#top[i] = top;
    this.#edge[i] = edge;
  }

  /** The last note that is no younger than `at`, or the oldest there is; −1 while there is none. Notes are made all the time, so it is not far from where they end. */
  find(at: Millis): number {
    const oldest = Math.max(0, this.#length - NOTES);
    let i = this.#length - 1;
    while (i > oldest && this.#at[i % NOTES]! > at) i--;
    return i < 0 ? -1 : i % NOTES;
  }

  topOf(note: number): Seq32 {
    return this.#top[note]!;
  }

  edgeOf(note: number): Seq32 {
    return this.#edge[note]!;
  }
}
