import assert from "node:assert/strict";
import { test } from "node:test";
import { H264Packetizer } from "../media/rtp/h264-payload.ts";
import { RtpPacket } from "../media/rtp/rtp-packet.ts";
import { bytesOf } from "../media/rtp/testing/packet.ts";
import type { Negotiated } from "../media/sdp/negotiation.ts";
import type { Track, Unit } from "../media/unit.ts";
import { InboundStream } from "./inbound-stream.ts";
import { Ingest } from "./ingest.ts";

const sps = bytesOf("6742c01fd900a02ff97011000003000100000300780f183248");
const pps = bytesOf("68cb83cb20");

function section(kind: string, clockRate: number): Negotiated {
  const format = { payloadType: 96, encoding: kind === "video" ? "H264" : "opus", clockRate, channels: 0, parameters: "", feedback: [] };
  return {
    ...{ mid: kind, kind, format, rtxPayloadType: -1, direction: "sendonly", congestionFeedback: "none", nack: true, pictureLoss: true },
    ...{ fullIntraRequest: false, reducedSize: true, transportSequenceNumberId: -1, absSendTimeId: -1, midId: -1, streams: [] },
  };
}

class Publisher {
  readonly tracks: (readonly Track[])[] = [];
  readonly units: Unit[] = [];
  readonly ingest = new Ingest(
    { tracks: (tracks) => void this.tracks.push(tracks), unit: (unit) => void this.units.push(unit) },
    { keyFrameInterval: 2_000_000, wallClock: () => 1000 },
  );
  readonly video = new InboundStream(1, section("video", 90_000), this.ingest, 0);
  readonly audio = new InboundStream(2, section("audio", 48_000), this.ingest, 0);
  now = 0;
  #sequences = [0, 0];
  readonly #packet = new RtpPacket();
  readonly #packetizer = new H264Packetizer();

  /** A picture in packets of at most 100 bytes, of which `lost` do not come. */
  picture(timestamp: number, key: boolean, bytes = 250, lost: readonly number[] = []): void {
    const nal = new Uint8Array(bytes).fill(7);
    nal[0] = key ? 0x65 : 0x41;
    this.#packetizer.open(Uint8Array.of(0, 0, 0, bytes, ...nal), key ? [sps, pps] : []);
    const into = new Uint8Array(100);
    for (let i = 0; ; i++) {
      const length = this.#packetizer.next(into, into.length);
      if (length === 0) return;
      if (lost.includes(i)) this.#sequences[0]!++;
      else this.#send(0, this.video, into, length, timestamp, this.#packetizer.last);
    }
  }

  sound(timestamp: number): void {
    this.#send(1, this.audio, Uint8Array.of(0xfc, 1, 2), 3, timestamp, false);
  }

  #send(which: 0 | 1, stream: InboundStream, payload: Uint8Array, length: number, timestamp: number, marker: boolean): void {
    const packet = this.#packet;
    packet.payloadStart = 0;
    packet.payloadEnd = length;
    packet.timestamp = timestamp;
    packet.marker = marker;
    this.ingest.packet(this.now, stream, packet, payload, this.#sequences[which]!++);
  }
}

test("pictures and sound become units on one clock, behind their tracks", () => {
  const publisher = new Publisher();
  publisher.sound(4_294_967_000);
  publisher.now = 10_000;
  publisher.picture(900, true);
  publisher.now = 20_000;
  publisher.sound((4_294_967_000 + 960) % 2 ** 32);
  publisher.now = 43_000;
  publisher.picture(900 + 3000, false);
  assert.deepEqual(
    publisher.tracks.map((tracks) => tracks.map(({ codec }) => codec)),
    [["avc1.42c01f", "opus"]],
  );
  assert.deepEqual(
    publisher.units.map(({ kind, dts, keyframe, data }) => [kind, dts, keyframe, data.length]),
    [
      ["video", 10_000, true, 254],
      ["audio", 20_000, true, 3],
      ["video", 10_000 + 33_333, false, 254],
    ],
  );
});

test("nothing comes before the first key frame, and a hole lasts to the next", () => {
  const publisher = new Publisher();
  publisher.picture(0, false);
  publisher.picture(3000, true);
  publisher.picture(6000, false, 250, [1]);
  publisher.picture(9000, false);
  assert.equal(publisher.units.length, 1, "what is missing is waited for");
  publisher.now = 700_000;
  publisher.ingest.advance(publisher.now);
  publisher.picture(12_000, false);
  assert.equal(publisher.units.length, 1, "pictures behind a hole cannot be decoded");
  assert.equal(publisher.video.keyFrameDue(publisher.now), true);
  publisher.picture(15_000, true);
  publisher.picture(18_000, false);
  assert.deepEqual(
    publisher.units.map(({ keyframe }) => keyframe),
    [true, true, false],
  );
  assert.ok(publisher.ingest.stats.broken > 0);
});

test("a whole picture that is missing is a hole too", () => {
  const publisher = new Publisher();
  publisher.picture(0, true);
  publisher.picture(3000, false, 250, [0, 1, 2]);
  publisher.picture(6000, false);
  publisher.now = 700_000;
  publisher.ingest.advance(publisher.now);
  assert.equal(publisher.units.length, 1);
});

test("a key frame is asked for when none came for long", () => {
  const publisher = new Publisher();
  publisher.picture(0, true);
  assert.equal(publisher.ingest.advance(1_000_000), 2_000_000);
  assert.equal(publisher.video.keyFrameDue(1_000_000), false);
  publisher.ingest.advance(2_000_000);
  assert.equal(publisher.video.keyFrameDue(2_000_000), true);
});
