/** The forwards in force, by number and in columns: there may be very many of them, and an object for each is slow to make and to go through. */
import type { Forward } from "../forward.ts";
import { NameIndex } from "./name-index.ts";
import { MARK, type Staged } from "./staged.ts";

export class HeldForwards {
  /** Also of those that left and have flows. */
  readonly names: (string | undefined)[] = [];
  readonly forwards: (Forward | undefined)[] = [];
  readonly policies: Int32Array;
  /** Among the listeners; −1: a range. */
  readonly places: Int32Array;
  readonly #index: NameIndex;

  /** Numbers are below `room`. */
  constructor(room: number) {
    this.policies = new Int32Array(room);
    this.places = new Int32Array(room);
    this.#index = new NameIndex(this.names, room);
  }

  get size(): number {
    return this.#index.size;
  }

  idOf(name: string): number | undefined {
    return this.#index.find(name);
  }

  sumOf(name: string): number {
    return this.#index.sumOf(name);
  }

  /** One that was not in force; its name is there, with this sum. */
  add(id: number, sum: number): void {
    this.#index.add(id, sum);
  }

  /** All whose number is new. */
  addEach({ forwards, ids, sums, policies, places, marks }: Staged): void {
    const [ownForwards, ownPolicies, ownPlaces] = [this.forwards, this.policies, this.places];
    for (let row = 0; row < forwards.length; row++) {
      if ((marks[row]! & MARK.isNew) === 0) continue;
      const id = ids[row]!;
      ownForwards[id] = forwards[row];
      ownPolicies[id] = policies[row]!;
      ownPlaces[id] = places[row]!;
    }
    this.#index.addEach(ids, sums, marks, MARK.isNew);
  }

  set(id: number, forward: Forward, policy: number, place: number): void {
    this.forwards[id] = forward;
    this.policies[id] = policy;
    this.places[id] = place;
  }

  /** Its name stays. */
  remove(id: number): void {
    this.#index.remove(id);
    this.forwards[id] = undefined;
  }
}
