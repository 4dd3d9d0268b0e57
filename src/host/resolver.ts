/** Names to addresses. Only Node's main thread can wait for an answer, so a loop in a worker asks it (worker-port.ts). */
import { lookup } from "node:dns";
import type { Millis } from "../base/units.ts";
import type { Task } from "./agenda.ts";
import { ipFamily } from "./ip-address.ts";
import type { LoopCounters } from "./loop-counters.ts";

export interface Resolver {
  /** `done` is called once, later; undefined = there is no such name, or no answer could be had. False: too many look-ups are under way. */
  resolve(host: string, family: 0 | 4 | 6, done: (address: string | undefined) => void): boolean;
}

/** `Loop.resolve` with a resolver: a literal address is answered as it is, a refusal counted, and `done` called from a later round. */
export function lookUp(
  loop: { later(task: Task): void; readonly counters: LoopCounters },
  resolver: Resolver,
  host: string,
  family: 0 | 4 | 6,
  done: (address: string | undefined, now: Millis) => void,
): void {
  const answer = (address: string | undefined): void => loop.later((now) => done(address, now));
  if (ipFamily(host) !== 0) answer(host);
  else if (!resolver.resolve(host, family, answer)) {
    loop.counters.lookupsRefused++;
    answer(undefined);
  }
}

/** Look-ups under way at once; each occupies a place in Node's pool of four threads. */
export const LOOKUPS_MAX = 256;

/** As the operating system resolves names (getaddrinfo: hosts file, search domains, DNS), in the order it prefers. */
export class SystemResolver implements Resolver {
  #pending = 0;

  resolve(host: string, family: 0 | 4 | 6, done: (address: string | undefined) => void): boolean {
    if (this.#pending >= LOOKUPS_MAX) return false;
    this.#pending++;
    lookup(host, { family, verbatim: true }, (error, address) => {
      this.#pending--;
      done(error === null ? address : undefined);
    });
    return true;
  }
}
