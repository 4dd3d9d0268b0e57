/** Both ends of transport feedback over its real wire format: what the receiver saw is what the sender's estimator gets, through loss and wraps. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { SequenceUnwrapper } from "../base/sequence-unwrapper.ts";
import { RtcpCompound } from "../media/rtp/rtcp-compound.ts";
import { TransportFeedback as WireFeedback } from "../media/rtp/transport-feedback.ts";
import { TransportFeedbackWriter } from "../media/rtp/transport-feedback-writer.ts";
import { FeedbackAdapter } from "./feedback-adapter.ts";
import { ArrivalReport, FeedbackGenerator } from "./feedback-generator.ts";
import { LOST, NOT_A_PROBE } from "./packet-result.ts";

class Ends {
  readonly adapter = new FeedbackAdapter();
  readonly generator = new FeedbackGenerator();
  readonly #unwrapper = new SequenceUnwrapper(16);
  readonly #report = new ArrivalReport();
  readonly #writer: TransportFeedbackWriter;
  readonly #bytes = new Uint8Array(1500);
  readonly #view = new DataView(this.#bytes.buffer);
  readonly #rtcp = new RtcpCompound();
  readonly #wire = new WireFeedback();
  #messages = 0;

  constructor(bytesMax = 1200) {
    this.#writer = new TransportFeedbackWriter({ bytesMax });
  }

  send(sequence: number, now: number): void {
    this.adapter.history.add({ sequence, sendTime: now, size: 1000, probeCluster: NOT_A_PROBE, audio: false, retransmission: false });
  }

  arrive(sequence: number, now: number): void {
    this.generator.receive(this.#unwrapper.unwrap(sequence & 0xffff), now);
  }

  /** Messages that are due; `each` is called when the sender has taken one. */
  process(now: number, each: () => void): void {
    const { generator, adapter } = this;
    generator.advance(now);
    while (generator.report(this.#report)) {
      const bytes = this.#write();
      this.#rtcp.open(this.#bytes, this.#view, 0, bytes);
      assert.ok(this.#rtcp.next() && this.#wire.read(this.#rtcp));
      adapter.begin(now);
      while (this.#wire.next(this.#rtcp)) adapter.add(this.#wire.sequence, this.#wire.received ? this.#wire.arrival : LOST);
      if (adapter.end()) each();
    }
  }

  #write(): number {
    const report = this.#report;
    const writer = this.#writer;
    writer.begin(report.baseSequence, report.arrival[0]!);
    for (let i = 0; i < report.length; i++) {
      if (writer.add(report.sequence[i]!, report.arrival[i]!)) continue;
      this.generator.retract(report.sequence[i]!);
      break;
    }
    return writer.write(this.#view, 0, this.#bytes.length, 1, 2, this.#messages++);
  }
}

test("arrivals come through to 250 µs, losses as losses, across wraps of sequence number and in messages of any size", () => {
  for (const [seed, bytesMax] of [
    [5, 1200],
    [6, 64],
  ] as const) {
    const random = new Prng(seed);
    const ends = new Ends(bytesMax);
    const arrived = new Map<number, number>();
    const told = new Map<number, number>();
    let lost = 0;
    const inbox: { readonly sequence: number; readonly at: number }[] = [];
    let now = 0;
    let clock = Number.NaN;
    for (let sequence = 60_000; sequence < 60_000 + 20_000; sequence++) {
      now += random.below(2000);
      ends.send(sequence, now);
      if (!random.chance(0.1)) inbox.push({ sequence, at: now + 20_000 + random.below(random.chance(0.05) ? 20_000 : 1000) });
      while (inbox.length > 0) {
        const first = inbox.reduce((a, b) => (b.at < a.at ? b : a));
        if (first.at > now) break;
        inbox.splice(inbox.indexOf(first), 1);
        arrived.set(first.sequence, first.at);
        ends.arrive(first.sequence, first.at);
      }
      ends.process(now, () => {
        const { feedback } = ends.adapter;
        for (let i = 0; i < feedback.length; i++) {
          const { sent, receiveTime } = feedback.at(i);
          if (receiveTime === LOST) lost++;
          else told.set(sent.sequence, receiveTime);
        }
      });
    }
    assert.ok(told.size > 17_000 && lost > 1500, `seed ${seed}: ${told.size} arrived, ${lost} lost`);
    for (const [sequence, time] of told) {
      const truth = arrived.get(sequence) ?? Number.NaN;
      if (Number.isNaN(clock)) clock = time - Math.floor(truth / 250) * 250;
      assert.ok(Math.abs(time - clock - truth) < 500, `seed ${seed}: ${sequence} at ${time - clock}, not ${truth}`);
    }
    // What is not told of yet arrived in the last round.
    assert.ok(arrived.size - told.size < 500, `seed ${seed}: ${arrived.size - told.size} of ${arrived.size} never told`);
  }
});
