/**
 * Desired state and datapath kept together: an operation becomes a plan, is applied, verified, and taken back when that fails. One at a time.
 *
 *   operation ─► operate ─► plan ─► health's weights ─► apply ─► verify ─► keep (the file) ─► answer
 *                                                          └ wrong: rollback, and the reason is thrown
 */
import { ConfigError, HostError } from "../base/errors.ts";
import type { Millis } from "../base/units.ts";
import type { Datapath } from "./datapath.ts";
import { type DesiredState, NOTHING_DESIRED } from "./desired-state.ts";
import type { Forward } from "./forward.ts";
import { ForwardIndex } from "./forward-index.ts";
import { formatAddress } from "./ip-range.ts";
import { type Operation, operate } from "./operation.ts";
import { describePlan, isEmpty, type Plan, plan } from "./plan.ts";

export interface ForwarderOptions {
  readonly datapath: Datapath;
  readonly now: () => Millis;
  /** Puts the state where it outlives the process. @throws, and the change is taken back */
  readonly keep: (state: DesiredState) => void;
}

export interface Changed {
  readonly revision: number;
  /** "2 added, 1 removed". */
  readonly summary: string;
  readonly milliseconds: number;
}

export class Forwarder {
  readonly datapath: Datapath;
  readonly counters = { changes: 0, rolledBack: 0, refused: 0, reweighted: 0, repaired: 0 };
  readonly #options: ForwarderOptions;
  #state: DesiredState;
  /** As applied: `#state` with the weights that health leaves. */
  #effective: DesiredState = NOTHING_DESIRED;
  #weigh: (forward: Forward) => Forward = (forward) => forward;
  /** Learnt, and not kept. */
  #extra: readonly Forward[] = [];
  #last: Promise<unknown> = Promise.resolve();

  /** `state`: what shall be, as it was kept. Nothing is applied before `start`. */
  constructor(options: ForwarderOptions, state: DesiredState) {
    this.#options = options;
    this.datapath = options.datapath;
    this.#state = state;
  }

  get state(): DesiredState {
    return this.#state;
  }

  get effective(): DesiredState {
    return this.#effective;
  }

  /** Makes the datapath hold the state. `before`: what it may hold already, so that less is to be done. @throws ConfigError, HostError */
  start(before: DesiredState = NOTHING_DESIRED): Promise<Changed> {
    return this.#next(async () => {
      this.#effective = before;
      return this.#lead(this.#state);
    });
  }

  /** @throws ConfigError or HostError, and everything is as it was */
  change(operation: Operation): Promise<Changed> {
    return this.#next(async () => {
      const changed = await this.#lead(operate(this.#state, operation), true);
      this.counters.changes++;
      return changed;
    });
  }

  /** `weigh` answers a forward with the weights that hold now; asked again for all. @throws HostError */
  reweigh(weigh: (forward: Forward) => Forward): Promise<Changed> {
    return this.#next(async () => {
      this.#weigh = weigh;
      this.counters.reweighted++;
      return this.#lead(this.#state);
    });
  }

  /** Beside what shall be also these, where no other forward is. @throws HostError */
  extend(extra: readonly Forward[]): Promise<Changed> {
    return this.#next(async () => {
      this.#extra = extra;
      return this.#lead(this.#state);
    });
  }

  /** Looks whether what shall be is there, and puts it there if not; answers what was wrong. @throws HostError */
  repair(): Promise<string | undefined> {
    return this.#next(async () => {
      const wrong = await this.datapath.verify();
      if (wrong === undefined) return undefined;
      this.counters.repaired++;
      this.#effective = NOTHING_DESIRED;
      await this.#lead(this.#state);
      return wrong;
    });
  }

  /** Waits for what is under way, then ends the datapath. */
  close(keep: boolean): Promise<void> {
    return this.#next(() => this.datapath.close(keep));
  }

  async #lead(wanted: DesiredState, keep = false): Promise<Changed> {
    const { now } = this.#options;
    const started = now();
    const effective = this.#effectOf(wanted);
    const change = plan(this.#effective, effective);
    this.#check(change);
    await this.datapath.apply(change);
    const reason = (await this.datapath.verify()) ?? (keep ? this.#keep(wanted) : undefined);
    if (reason !== undefined) {
      this.counters.rolledBack++;
      await this.datapath.rollback();
      throw new HostError("EIO", "apply", `${reason}; taken back`);
    }
    this.#state = wanted;
    this.#effective = effective;
    return {
      revision: wanted.revision,
      summary: isEmpty(change) ? "nothing to change" : describePlan(change),
      milliseconds: now() - started,
    };
  }

  #effectOf({ revision, forwards }: DesiredState): DesiredState {
    const effective = new Map(Array.from(forwards, ([name, forward]) => [name, this.#weigh(forward)]));
    if (this.#extra.length > 0) {
      const taken = new ForwardIndex(forwards.values());
      for (const extra of this.#extra) {
        const { addresses, ports } = extra.listen;
        if (!effective.has(extra.name) && taken.find(formatAddress(addresses.family, addresses.first), ports.first) === undefined)
          effective.set(extra.name, extra);
      }
    }
    return { revision, forwards: effective };
  }

  #check({ added, changed }: Plan): void {
    for (const forward of [...added, ...changed.map(({ after }) => after)]) {
      const reason = this.datapath.refuses(forward);
      if (reason === undefined) continue;
      this.counters.refused++;
      throw new ConfigError(forward.name, `${forward.name}: not possible with the datapath ${this.datapath.kind}: ${reason}`);
    }
  }

  #keep(state: DesiredState): string | undefined {
    try {
      this.#options.keep(state);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}
