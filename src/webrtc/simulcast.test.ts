/** A publisher of several encodings, from its packets to the channel and its renditions. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { HeaderExtensionWriter, ONE_BYTE } from "../media/rtp/header-extension.ts";
import { RtpPacket } from "../media/rtp/rtp-packet.ts";
import { writeIdentification } from "../media/rtp/stream-identification.ts";
import { bytesOf, viewOf } from "../media/rtp/testing/packet.ts";
import type { Negotiated } from "../media/sdp/negotiation.ts";
import type { Unit } from "../media/unit.ts";
import { Ingest } from "./ingest.ts";
import { Receiver } from "./receiver.ts";

const sps = bytesOf("6742c01fd900a02ff97011000003000100000300780f183248");
const pps = bytesOf("68cb83cb20");
const RID_ID = 10;
const RRID_ID = 11;
const format = { payloadType: 104, encoding: "H264", clockRate: 90_000, channels: 0, parameters: "", feedback: [] };
const section: Negotiated = {
  ...{
    mid: "1",
    kind: "video",
    format,
    rtxPayloadType: 103,
    direction: "sendonly",
    congestionFeedback: "none",
    nack: true,
    pictureLoss: true,
  },
  ...{ fullIntraRequest: false, reducedSize: true, transportSequenceNumberId: -1, absSendTimeId: -1, midId: -1, streams: [] },
  simulcast: { rids: ["h", "l"], ridId: RID_ID, rridId: RRID_ID },
};

interface Sent {
  readonly ssrc: number;
  readonly sequence: number;
  readonly timestamp?: number;
  /** Extension and its text; undefined: none. */
  readonly named?: readonly [id: number, rid: string] | undefined;
  readonly payload: Uint8Array;
  readonly again?: boolean;
}

class Publisher {
  readonly units: [rid: string, unit: Unit][] = [];
  readonly tracks: string[] = [];
  readonly ingest = new Ingest(
    { tracks: (_, rid) => void this.tracks.push(rid), unit: (unit, rid) => void this.units.push([rid, unit]) },
    { keyFrameInterval: 2_000_000, wallClock: () => 1000 },
  );
  readonly receiver = new Receiver({ sections: [section], sink: this.ingest, unixEpoch: 0, overheadBytes: 0 });
  readonly #extensions = new HeaderExtensionWriter();

  send({ ssrc, sequence, timestamp = 0, named, payload, again = false }: Sent): void {
    const bytes = new Uint8Array(1500);
    const view = viewOf(bytes);
    const packet = new RtpPacket();
    packet.payloadType = again ? 103 : 104;
    [packet.ssrc, packet.sequenceNumber, packet.timestamp, packet.marker] = [ssrc, sequence, timestamp, true];
    let at = packet.write(view, 0);
    if (named !== undefined) {
      this.#extensions.begin(view, 0, bytes.length, ONE_BYTE);
      const [id, rid] = named;
      writeIdentification(bytes, this.#extensions.add(id, rid.length), rid);
      at = this.#extensions.finish();
    }
    bytes.set(payload, at);
    this.receiver.receive(0, bytes, view, at + payload.length);
  }
}

/** A key frame with its parameter sets in one packet (STAP-A, RFC 6184 section 5.7.1). */
const payload = Uint8Array.of(0x78, ...[sps, pps, new Uint8Array(50).fill(0x65)].flatMap((nal) => [0, nal.length, ...nal]));

test("packets find their encoding by name, and then by SSRC", () => {
  const publisher = new Publisher();
  publisher.send({ ssrc: 1, sequence: 1, payload });
  assert.deepEqual([publisher.units.length, publisher.receiver.stats.unknown], [0, 1], "nobody said whose it is");
  publisher.send({ ssrc: 1, sequence: 2, named: [RID_ID, "x"], payload });
  assert.equal(publisher.receiver.stats.unknown, 2, "no such encoding was agreed upon");
  publisher.send({ ssrc: 1, sequence: 3, named: [RID_ID, "l"], payload });
  publisher.send({ ssrc: 2, sequence: 1, named: [RID_ID, "h"], payload });
  publisher.send({ ssrc: 1, sequence: 4, timestamp: 3000, payload });
  assert.deepEqual(
    publisher.units.map(([rid, { dts }]) => [rid, dts]),
    [
      ["l", 0],
      ["h", 0],
      ["l", 33_333],
    ],
  );
  assert.deepEqual(publisher.tracks, ["l", "h"]);
});

test("a retransmission fills the hole of the encoding that it names", () => {
  const publisher = new Publisher();
  for (const [ssrc, rid] of [
    [1, "h"],
    [2, "l"],
  ] as const)
    publisher.send({ ssrc, sequence: 10, named: [RID_ID, rid], payload });
  publisher.send({ ssrc: 2, sequence: 12, timestamp: 6000, payload });
  assert.equal(publisher.units.length, 2, "11 is missing");
  publisher.send({ ssrc: 3, sequence: 1, timestamp: 3000, named: [RRID_ID, "l"], payload: Uint8Array.of(0, 11, ...payload), again: true });
  assert.deepEqual(
    publisher.units.slice(2).map(([rid, { dts }]) => [rid, dts]),
    [
      ["l", 33_333],
      ["l", 66_667],
    ],
  );
});

test("a key frame is asked of the encoding whose viewers need one", () => {
  const publisher = new Publisher();
  publisher.send({ ssrc: 1, sequence: 1, named: [RID_ID, "h"], payload });
  publisher.send({ ssrc: 2, sequence: 1, named: [RID_ID, "l"], payload });
  publisher.ingest.requestKeyFrame("l");
  publisher.ingest.requestKeyFrame("nobody");
  assert.deepEqual(
    publisher.receiver.streams.map((stream) => [stream.rid, stream.keyFrameDue(0)]),
    [
      ["h", false],
      ["l", true],
    ],
  );
});

test("whatever is named, there are no more streams than limits allow and nothing is thrown (random packets)", () => {
  const seed = Number(process.env.SEED ?? 20_261_122);
  const prng = new Prng(seed);
  const publisher = new Publisher();
  for (let i = 0; i < 5000; i++) {
    const rid = ["h", "l", "x", "hh", "~"][prng.below(5)]!;
    const named: Sent["named"] = prng.below(3) === 0 ? undefined : [prng.below(2) === 0 ? RID_ID : RRID_ID, rid];
    publisher.send({ ssrc: prng.below(200), sequence: prng.below(65_536), named, payload, again: prng.below(3) === 0 });
  }
  assert.ok(publisher.receiver.streams.length <= 64, `seed ${seed}`);
  assert.ok(publisher.units.every(([rid]) => rid === "h" || rid === "l"));
});
