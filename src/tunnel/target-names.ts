/**
 * Addresses of targets that are given by name: looked up when they are needed, kept for a while, so that a flow for each DNS question does not
 * ask for a name of its own.
 *
 * Limit: as many names as there are targets on the list.
 */
import type { Millis } from "../base/units.ts";
import { ipFamily } from "../host/ip-address.ts";
import type { Loop } from "../host/loop.ts";

const KEPT_MS: Millis = 10_000;

type Done = (address: string | undefined, now: Millis) => void;

interface Name {
  address: string | undefined;
  until: Millis;
  /** Who waits for the answer; undefined when nothing is being looked up. */
  waiting: Done[] | undefined;
}

export class TargetNames {
  readonly #loop: Loop;
  readonly #names = new Map<string, Name>();

  constructor(loop: Loop) {
    this.#loop = loop;
  }

  /** A literal address, or a name whose address is known. */
  known(host: string, now: Millis): string | undefined {
    if (ipFamily(host) !== 0) return host;
    const name = this.#names.get(host);
    return name !== undefined && now < name.until ? name.address : undefined;
  }

  /** `done` is called later, once; with undefined when the name was not found. */
  find(host: string, done: Done): void {
    const name: Name = this.#names.get(host) ?? { address: undefined, until: 0, waiting: undefined };
    this.#names.set(host, name);
    if (name.waiting !== undefined) {
      name.waiting.push(done);
      return;
    }
    name.waiting = [done];
    this.#loop.resolve(host, 0, (address, now) => {
      const waiting = name.waiting ?? [];
      name.waiting = undefined;
      name.address = address;
      name.until = address === undefined ? 0 : now + KEPT_MS;
      for (const each of waiting) each(address, now);
    });
  }

  /** Targets were replaced: names that are not used any more go. */
  clear(): void {
    for (const [host, name] of this.#names) if (name.waiting === undefined) this.#names.delete(host);
  }
}
