/** How often texts may be put into streams: 5 a second into one, 155 into all (reference/aws-live.md 3). */
import type { Millis } from "../../base/units.ts";

const SECOND: Millis = 1000;

export class MetadataBudget {
  readonly #each: number;
  readonly #all: number;
  readonly #taken: { readonly channel: string; readonly at: number }[] = [];

  constructor(each = 5, all = 155) {
    this.#each = each;
    this.#all = all;
  }

  /** False: not now. */
  take(channel: string, now: number): boolean {
    while (this.#taken.length > 0 && this.#taken[0]!.at <= now - SECOND) this.#taken.shift();
    if (this.#taken.length >= this.#all) return false;
    if (this.#taken.filter((taken) => taken.channel === channel).length >= this.#each) return false;
    this.#taken.push({ channel, at: now });
    return true;
  }
}
