/** Decides which datagrams are lost: each by itself, and in bursts by the two states of Gilbert and Elliott. */
import type { Prng } from "../base/prng.ts";
import type { Millis } from "../base/units.ts";
import type { LinkParameters } from "./parameters.ts";

export class Loss {
  readonly #prng: Prng;
  #bad = false;
  /** End of the present state when states last for a time; −1 before the first datagram. */
  #changesAt: Millis = -1;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  /** Is the datagram that passes at `now` lost? */
  strikes(now: Millis, { loss, burstLoss }: LinkParameters): boolean {
    let lost = loss > 0 && this.#prng.chance(loss);
    if (burstLoss === undefined) return lost;
    const { per, enter, leave, lossBad, lossGood } = burstLoss;
    if (per === "time") this.#pass(now, enter, leave);
    if (this.#prng.chance(this.#bad ? lossBad : lossGood)) lost = true;
    if (per === "datagram" && this.#prng.chance(this.#bad ? leave : enter)) this.#bad = !this.#bad;
    return lost;
  }

  /** Lets the states that ended by `now` pass. After a long silence the state is drawn anew instead of living through all of them. */
  #pass(now: Millis, meanGood: Millis, meanBad: Millis): void {
    if (this.#changesAt < 0 || now - this.#changesAt > 100 * (meanGood + meanBad)) {
      this.#bad = this.#prng.chance(meanBad / (meanGood + meanBad));
      this.#changesAt = now + this.#prng.exponential() * (this.#bad ? meanBad : meanGood);
    }
    while (this.#changesAt <= now) {
      this.#bad = !this.#bad;
      this.#changesAt += this.#prng.exponential() * (this.#bad ? meanBad : meanGood);
    }
  }
}
