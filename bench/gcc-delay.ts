/**
 * What congestion control costs a packet: the sender's whole path from a feedback message to a new target, for messages of different lengths, and the receiver's estimators and reports. Each figure is the best of many short runs, because whatever else the machine
 * does only ever adds. Fails below 200,000 feedback samples a second.
 */
import { CcfbGenerator, CcfbReport } from "../src/gcc/ccfb-generator.ts";
import { FeedbackAdapter } from "../src/gcc/feedback-adapter.ts";
import { ArrivalReport, FeedbackGenerator } from "../src/gcc/feedback-generator.ts";
import { NetworkController } from "../src/gcc/network-controller.ts";
import { NOT_A_PROBE, type SentPacket } from "../src/gcc/packet-result.ts";
import { RembEstimator } from "../src/gcc/remb-estimator.ts";

const RUNS = 40;
const PACKETS = 20_000;
const GAP = 1000;
const SAMPLES_PER_SECOND_MIN = 200_000;

/** Packets a second in the best run. */
function measure(what: string, run: () => void): number {
  run();
  let best = Number.POSITIVE_INFINITY;
  for (let n = 0; n < RUNS; n++) {
    const before = process.hrtime.bigint();
    run();
    best = Math.min(best, Number(process.hrtime.bigint() - before) / PACKETS);
  }
  const rate = 1e9 / best;
  console.log(
    `${what.padEnd(52)} ${best.toFixed(0).padStart(6)} ns a packet ${Math.round(rate).toLocaleString("en").padStart(12)} a second`,
  );
  return rate;
}

let slowest = Number.POSITIVE_INFINITY;
for (const perFeedback of [1, 10, 50, 250]) {
  const adapter = new FeedbackAdapter();
  const controller = new NetworkController({ packetFeedbackOnly: true });
  const sent: SentPacket = { sequence: 0, sendTime: 0, size: 1200, probeCluster: NOT_A_PROBE, audio: false, retransmission: false };
  let now = 0;
  const rate = measure(`sender: history, adapter, controller; ${perFeedback} a message`, () => {
    for (let n = 0; n < PACKETS; n += perFeedback) {
      for (let i = 0; i < perFeedback; i++) {
        now += GAP;
        sent.sequence++;
        sent.sendTime = now;
        adapter.history.add(sent);
        controller.onSentPacket(sent, adapter.history.inFlight);
      }
      controller.advance(now);
      adapter.begin(now);
      for (let i = perFeedback - 1; i >= 0; i--) adapter.add(sent.sequence - i, now - i * GAP + ((n + i) % 7) * 100);
      if (adapter.end()) controller.onFeedback(adapter.feedback);
      while (controller.nextProbe() !== undefined);
    }
  });
  slowest = Math.min(slowest, rate);
}

const generator = new FeedbackGenerator();
const report = new ArrivalReport();
let clock = 0;
let sequence = 0;
measure("receiver: arrivals and reports, TWCC", () => {
  for (let n = 0; n < PACKETS; n++) {
    clock += GAP;
    generator.receive(sequence++, clock);
    generator.advance(clock);
    while (generator.report(report));
  }
});

const ccfb = new CcfbGenerator();
const message = new CcfbReport();
measure("receiver: arrivals and reports, CCFB", () => {
  for (let n = 0; n < PACKETS; n++) {
    clock += GAP;
    ccfb.receive(1, sequence++ & 0xffff, clock, n % 10 === 0, 0);
    ccfb.advance(clock);
    while (ccfb.report(message));
  }
});

const remb = new RembEstimator();
measure("receiver: estimate for REMB", () => {
  for (let n = 0; n < PACKETS; n++) {
    clock += GAP;
    remb.receive(clock, Math.floor((clock * 262_144) / 1e6) & 0xffffff, 1200, 1);
  }
});

if (slowest < SAMPLES_PER_SECOND_MIN) throw new Error(`${Math.round(slowest)} samples a second: below ${SAMPLES_PER_SECOND_MIN}`);
