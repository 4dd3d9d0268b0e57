import assert from "node:assert/strict";
import { test } from "node:test";
import type { AckRound } from "../base/rate-controller.ts";
import { AutoController } from "./auto.ts";

/** A path of `rate` bytes/ms and 100 ms whose queue holds everything, acknowledged each 10 ms. */
class Pipe {
  readonly controller = new AutoController();
  now = 0;
  #delivered = 0;
  #inFlight = 0;
  /** What others have standing in the queue makes the round trip longer by so much. */
  others = 0;

  /** `loss`: the path's own, behind its bottleneck. */
  run(ms: number, rate: number, offered = Number.POSITIVE_INFINITY, loss = 0): void {
    const { controller } = this;
    for (const end = this.now + ms; this.now < end; this.now += 10) {
      const sent = Math.max(0, Math.min(controller.pacingRate * 10, offered * 10, controller.window - this.#inFlight));
      this.#inFlight += sent;
      const arrived = Math.min(this.#inFlight, rate * 10);
      const queue = Math.max(0, this.#inFlight - rate * 100);
      if (this.#inFlight < rate * 100 && this.now < 100) continue;
      this.#inFlight -= arrived;
      const newly = arrived * (1 - loss);
      this.#delivered += newly;
      const round: AckRound = {
        delivered: this.#delivered,
        newly,
        prior: Math.max(0, this.#delivered - rate * 100),
        inFlight: this.#inFlight,
        lost: arrived - newly,
        lostRuns: (arrived - newly) / 1400,
        silence: 0,
        rtt: 100 + this.others + queue / rate,
        noise: 0,
        took: 100,
        rate: newly / 10,
        appLimited: offered < rate,
        late: false,
      };
      controller.acknowledged(this.now, round);
    }
  }
}

test("it grows to the path's rate and holds it with less than two of its products in flight", () => {
  const pipe = new Pipe();
  pipe.run(5000, 2500);
  const { bandwidth, window, minRtt, state } = pipe.controller;
  assert.ok(Math.abs(bandwidth - 2500) < 50, `${bandwidth}`);
  assert.equal(state, "probe-bandwidth");
  assert.ok(minRtt >= 100 && minRtt < 115);
  assert.ok(window < 2.2 * 2500 * minRtt);
});

test("when the path gets narrower the estimate follows within a few seconds, when it gets wider too", () => {
  const pipe = new Pipe();
  pipe.run(5000, 2500);
  pipe.run(6000, 1000);
  assert.ok(pipe.controller.bandwidth < 1100, `${pipe.controller.bandwidth} of 1000`);
  pipe.run(20_000, 2500);
  assert.ok(pipe.controller.bandwidth > 2000, `${pipe.controller.bandwidth} of 2500`);
});

test("little traffic neither lowers the estimate nor slows itself", () => {
  const pipe = new Pipe();
  pipe.run(5000, 2500);
  const { bandwidth } = pipe.controller;
  pipe.run(20_000, 2500, 100);
  assert.ok(pipe.controller.bandwidth >= bandwidth * 0.99);
  assert.ok(pipe.controller.pacingRate >= bandwidth * 0.99);
});

test("what a train has measured is the rate from the first packet on", () => {
  const controller = new AutoController();
  controller.learned(0, 2000);
  assert.equal(controller.pacingRate, 2000);
  assert.ok(controller.window >= 2000 * 200);
});

test("what a lossy path loses by itself does not slow it: it sends so much more that the rate arrives", () => {
  const pipe = new Pipe();
  pipe.run(30_000, 2500, Number.POSITIVE_INFINITY, 0.3);
  assert.ok(pipe.controller.bandwidth > 0.85 * 0.7 * 2500, `${pipe.controller.bandwidth} of ${0.7 * 2500}`);
  assert.ok(pipe.controller.pacingRate > 0.7 * 0.75 * 2500, `${pipe.controller.pacingRate}`);
});

test("a sudden heavy loss without a queue lowers the estimate, loss known of old does not", () => {
  const rates = [0.02, 0.6].map((loss) => {
    const pipe = new Pipe();
    pipe.run(5000, 2500, 1000, 0.02);

    pipe.run(1500, 2500, 1000, loss);
    return pipe.controller.bandwidth;
  });
  assert.ok(rates[1]! < 0.75 * rates[0]!, `${rates}`);
});

test("where a queue stands and less is lost than the path was believed to lose by itself, that belief goes: it does not keep the queue full", () => {
  const pipe = new Pipe();
  const madeUp = (): number => pipe.controller.pacingRate / pipe.controller.bandwidth;
  pipe.run(20_000, 2500, Number.POSITIVE_INFINITY, 0.4);
  while (madeUp() < 1 || pipe.controller.state !== "probe-bandwidth") pipe.run(10, 2500, Number.POSITIVE_INFINITY, 0.4);
  assert.ok(madeUp() > 1.3, `${madeUp()}`);
  pipe.others = 80;
  pipe.run(8000, 2500);
  while (pipe.controller.state !== "probe-bandwidth") pipe.run(10, 2500);
  assert.ok(madeUp() < 1.3, `${madeUp()}`);
});

test("beside others that keep a queue full it asks for the least round trip, and does not take the queue's for it meanwhile", () => {
  const controller = new AutoController();
  let delivered = 0;
  const hear = (now: number, rtt: number, late: boolean): void => {
    delivered += 25_000;
    const round = {
      delivered,
      newly: 25_000,
      prior: Math.max(0, delivered - 250_000),
      inFlight: 200_000,
      lost: 0,
      lostRuns: 0,
      silence: 0,
      rtt,
      noise: 0,
      took: 150,
      rate: 2500,
    };
    controller.acknowledged(now, { ...round, appLimited: false, late });
  };
  const states = new Set<string>();
  for (let now = 0; now < 14_000; now += 10) {
    hear(now, now < 1000 ? 100 : 190, now % 200 === 0);
    if (now > 3000) states.add(controller.state);
  }
  assert.ok(states.has("probe-rtt"), [...states].join(" "));
  assert.equal(controller.minRtt, 100);
});
