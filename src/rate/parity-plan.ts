/**
 * How many parity shards a group of data shards is worth, from the loss that the path has by itself.
 *
 * Loss comes in runs: their number in a group is Poisson, their length geometric (a Pólya–Aeppli sum). The plan is the least number of parity shards that leaves
 * fewer than RESIDUAL of the groups unrepaired, within the budget: loss of its own is answered by redundancy, and only by it.
 *
 *   P(0) = e^−λ      P(n) = λ·(1−θ)/n · Σ j·θ^(j−1)·P(n−j)      λ = shards · loss / run,  θ = 1 − 1/run
 */

/** Tuning. */
const RESIDUAL = 0.0005;
/** Below this loss resending is cheaper than any parity. */
const LOSS_MIN = 0.0005;
/** Parity for a data shard at most: in a stream, and where so little is sent that delay is worth more than bytes. */
const BUDGET = 0.25;
const BUDGET_SPARSE = 0.34;
/** From this loss on, in short runs, resending takes too many round trips: of little traffic that much more is protected, up to a copy of everything. */
const LOSS_HEAVY = 0.03;
const BUDGET_HEAVY = 0.3;
const BUDGET_HEAVY_GROWTH = 5;
const BUDGET_HEAVY_MAX = 1;
/** Fewer shards are not protected by themselves: parity for more of them covers more for the same bytes. */
const SPARSE_MIN = 3;
/** Long runs are seldom covered by what a short group can afford: groups are then longer, or have none, and resent copies repair the rest. */
const BUDGET_RUNS = 0.2;
export const RUN_LONG = 2.5;
const PARITY_MAX = 32;
/**
 * Of a path of which nothing is known so much is assumed to be lost, of so many transmissions, and believed for so many more: what the first second loses would else wait for a
 * round trip.
 */
const ASSUMED_LOST = 1;
const ASSUMED_SENT = 50;
const ASSUMED_FOR = 150;
/** Transmissions that the estimate remembers. */
const MEMORY = 1500;

/** P(n), while `parity` runs: all plans of a thread share the room. */
const p = new Float64Array(PARITY_MAX + 1);

export class ParityPlan {
  /** Share of transmissions lost, and how many in a row on average. */
  loss = 0;
  run = 1;
  /** Share of the groups that what `parity` answered last leaves unrepaired, and of those that lose anything. */
  left = 0;
  leftOfLossy = 0;
  #sent = 0;
  #lost = 0;
  #runs = 0;
  #assumes = true;

  /**
   * Since the last call so many transmissions were made and lost, the lost ones in so many runs; `lost` and `runs` are negative when more had been taken for
   * lost than were. `heardOf`: of all since the plan was made so many are no longer under way.
   */
  observe(sent: number, lost: number, runs: number, heardOf = this.#sent + sent): void {
    this.#sent += sent;
    this.#lost = Math.max(0, this.#lost + lost);
    this.#runs = Math.max(0, this.#runs + runs);
    if (this.#sent > MEMORY) {
      const keep = MEMORY / this.#sent;
      this.#sent *= keep;
      this.#lost *= keep;
      this.#runs *= keep;
    }
    this.#assumes &&= heardOf < ASSUMED_FOR;
    const of = this.#assumes ? Math.max(0, Math.min(heardOf, this.#sent)) + ASSUMED_SENT : Math.max(1, this.#sent);
    this.loss = Math.min((this.#lost + (this.#assumes ? ASSUMED_LOST : 0)) / of, 0.5);
    this.run = this.#runs > 0 ? Math.max(1, this.#lost / this.#runs) : 1;
  }

  /**
   * Parity shards for a group of `shards`; `sparse` traffic may cost more, but has none where a run takes all of a group, unless that is `spread` over a
   * time that outlasts most of them.
   */
  parity(shards: number, sparse: boolean, spread = false): number {
    const { loss, run } = this;
    this.left = 0;
    this.leftOfLossy = 0;
    if (loss < LOSS_MIN || shards <= 0 || (sparse && ((run > RUN_LONG && !spread) || shards < SPARSE_MIN))) return 0;
    const most = Math.min(PARITY_MAX, Math.floor(shards * (sparse ? this.#sparseBudget : run > RUN_LONG ? BUDGET_RUNS : BUDGET)));
    const theta = 1 - 1 / run;
    const lambda = (shards * (1 + BUDGET / 2) * loss) / run;
    p[0] = Math.exp(-lambda);
    let covered = p[0]!;
    let n = 0;
    while (covered < 1 - RESIDUAL && n < most) {
      n++;
      let sum = 0;
      let power = 1;
      for (let j = 1; j <= n; j++) {
        sum += j * power * p[n - j]!;
        power *= theta;
      }
      p[n] = ((lambda * (1 - theta)) / n) * sum;
      covered += p[n]!;
    }
    this.left = 1 - covered;
    this.leftOfLossy = (1 - covered) / (1 - p[0]!);
    return n;
  }

  /** Much is lost, in runs so short that parity covers them. */
  get heavy(): boolean {
    return this.loss >= LOSS_HEAVY && this.run <= RUN_LONG;
  }

  get #sparseBudget(): number {
    return this.heavy ? Math.min(BUDGET_HEAVY + BUDGET_HEAVY_GROWTH * this.loss, BUDGET_HEAVY_MAX) : BUDGET_SPARSE;
  }
}
