/**
 * A world in virtual time: members that say when they next have something to do, and tasks at fixed times. Nothing happens between
 * events, so the same seed gives the same run to the last bit and an hour takes as long as its events need.
 *
 *   ┌─▶ tasks due ─▶ every member's turn ─▶ done? ─▶ now = earliest of tasks and deadlines ─┐
 *   └──────────────────────────────────────────────────────────────────────────────────────┘
 */
import { assert } from "../src/base/assert.ts";
import { Heap } from "../src/base/heap.ts";
import { type Millis, NEVER } from "../src/base/units.ts";

export interface Member {
  /** Does everything that is due at `now`. */
  turn(now: Millis): void;
  /** When it wants its next turn; not before the `now` of its last one unless it wants another at once. */
  deadline(): Millis;
}

/** Turns without time passing before the world is held to be stuck. */
const TURNS_AT_ONCE_MAX = 100_000;

export class World {
  now: Millis = 0;
  /** Moments lived through. */
  turns = 0;
  readonly #members: Member[] = [];
  readonly #tasks = new Heap<() => void>();

  add<M extends Member>(member: M): M {
    this.#members.push(member);
    return member;
  }

  /** Runs `task` at `time`, before the members' turns. */
  at(time: Millis, task: () => void): void {
    this.#tasks.push(time, task);
  }

  /** Runs `task` every `period` from `first` on, while it answers true. */
  every(first: Millis, period: Millis, task: () => boolean): void {
    this.at(first, () => {
      if (task()) this.every(first + period, period, task);
    });
  }

  /** Lives until `until` or until `done`; answers whether it was `done`. */
  run(until: Millis, done: () => boolean = () => false): boolean {
    let atOnce = 0;
    for (;;) {
      while (this.#tasks.minimum <= this.now) this.#tasks.pop()?.();
      for (const member of this.#members) member.turn(this.now);
      this.turns++;
      if (done()) return true;
      let next = this.#tasks.minimum;
      for (const member of this.#members) next = Math.min(next, member.deadline());
      if (next > until || next === NEVER) {
        this.now = Math.max(this.now, until);
        return false;
      }
      atOnce = next > this.now ? 0 : atOnce + 1;
      assert(atOnce < TURNS_AT_ONCE_MAX, `time stands still at ${this.now} ms`);
      this.now = Math.max(this.now, next);
    }
  }
}
