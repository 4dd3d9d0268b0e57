import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { decoderConfigurationOf } from "../media/h264/decoder-configuration.ts";
import { H264Assembler } from "../media/rtp/h264-payload.ts";
import { isRtcp } from "../media/rtp/rtcp-header.ts";
import { RtpPacket } from "../media/rtp/rtp-packet.ts";
import { bytesOf } from "../media/rtp/testing/packet.ts";
import { agree } from "../media/sdp/answer.ts";
import { parseSessionDescription } from "../media/sdp/session-description.ts";
import { offer } from "../media/sdp/testing/offer.ts";
import type { Track, Unit } from "../media/unit.ts";
import type { Encoder } from "./outbound-stream.ts";
import type { Peer } from "./peer.ts";
import { type Encoding, Playout } from "./playout.ts";
import { DATAGRAM_BYTES, Session } from "./session.ts";

const sps = bytesOf("6742c01fd900a02ff97011000003000100000300780f183248");
const pps = bytesOf("68cb83cb20");
const tracks: readonly Track[] = [
  {
    kind: "video",
    codec: "avc1.42c01f",
    ...{ width: 640, height: 360, framesPerSecond: 30, configuration: decoderConfigurationOf(sps, pps)!.record },
  },
];

class TestEncoding implements Encoding {
  tracks: readonly Track[] = tracks;
  keyFrameRequests = 0;
  readonly bitrate: number;

  constructor(bitrate: number) {
    this.bitrate = bitrate;
  }

  rate(): number {
    return this.bitrate;
  }

  requestKeyFrame(): void {
    this.keyFrameRequests++;
  }
}

class Viewer {
  now = 0;
  /** The best first. */
  readonly encodings: TestEncoding[];
  readonly playout = new Playout(() => this.encodings);
  readonly session: Session;
  /** What the allocator tells what the path carries. */
  readonly encoder: Encoder;
  /** Access units that arrived, with their timestamps. */
  readonly arrived: { readonly timestamp: number; readonly data: Uint8Array | undefined; readonly keyframe: boolean }[] = [];
  readonly assembler = new H264Assembler();
  #timestamp = -1;

  constructor(rates: readonly number[] = [1_000_000]) {
    this.encodings = rates.map((rate) => new TestEncoding(rate));
    const description = parseSessionDescription(offer().replaceAll("a=sendonly", "a=recvonly"))!;
    const section = agree(description, { encodings: { video: ["H264"] }, congestionFeedback: [] })[1]!;
    const common = { ssrc: 1, cname: "x", unixEpoch: 0, overheadBytes: 44, sink: { packet() {} }, prng: new Prng(1) };
    this.session = new Session({ ...common, sections: [section], sender: { startBitrate: 2_000_000 } });
    const source = this.playout.source(section)!;
    const numbers = { ssrc: 5, rtxSsrc: 6, section, firstSequence: 1, firstRtxSequence: 1 };
    const stream = this.session.sender!.add(0, numbers, { min: source.min, max: source.max }, source.encoder)!;
    this.session.connect(0);
    const peer = { session: this.session, outbound: [stream], up: true, now: () => this.now, wake() {} };
    this.playout.start(peer as unknown as Peer);
    this.encoder = source.encoder;
  }

  get keyFrameRequests(): number {
    return this.encodings[0]!.keyFrameRequests;
  }

  /** A picture of an encoding, which may be late: `behind` µs. */
  show(keyframe: boolean, bytes: number, encoding = 0, behind = 0): Unit {
    const data = new Uint8Array(4 + bytes).fill(9);
    new DataView(data.buffer).setUint32(0, bytes);
    data[4] = keyframe ? 0x65 : 0x41;
    const unit: Unit = { kind: "video", dts: this.now - behind, pts: this.now - behind, keyframe, data, arrival: 0 };
    this.playout.unit(this.encodings[encoding]!, unit);
    return unit;
  }

  /** Time goes on, and what the pacer lets out arrives. */
  pass(micros: number): void {
    const view = new DataView(new ArrayBuffer(DATAGRAM_BYTES));
    const bytes = new Uint8Array(view.buffer);
    const packet = new RtpPacket();
    for (const until = this.now + micros; this.now < until; this.now += 1000) {
      this.session.advance(this.now);
      for (let length = this.session.transmit(this.now, view); length > 0; length = this.session.transmit(this.now, view)) {
        if (isRtcp(bytes, 0, length) || !packet.read(view, 0, length) || packet.ssrc !== 5) continue;
        if (packet.payloadEnd === packet.payloadStart) continue;
        // A key frame drops what waits before it, be it in the midst of a picture.
        if (packet.timestamp !== this.#timestamp) this.assembler.clear();
        this.#timestamp = packet.timestamp;
        this.assembler.add(bytes, packet.payloadStart, packet.payloadEnd);
        if (!packet.marker) continue;
        const { keyframe } = this.assembler;
        this.arrived.push({ timestamp: packet.timestamp, data: this.assembler.take(), keyframe });
        this.assembler.clear();
      }
    }
  }
}

test("pictures arrive as they were, key frames behind their parameter sets, from the first key frame on", () => {
  const viewer = new Viewer();
  viewer.show(false, 500);
  viewer.pass(33_000);
  const key = viewer.show(true, 5000);
  viewer.pass(100_000);
  const next = viewer.show(false, 700);
  viewer.pass(100_000);
  assert.deepEqual(
    viewer.arrived.map(({ keyframe, timestamp }) => [keyframe, timestamp]),
    [
      [true, (33 * 90_000) / 1000],
      [false, (133 * 90_000) / 1000],
    ],
  );
  assert.deepEqual([viewer.arrived[0]!.data, viewer.arrived[1]!.data], [key.data, next.data]);
  assert.deepEqual([viewer.assembler.sequenceSet, viewer.assembler.pictureSet], [sps, pps]);
  assert.equal(viewer.playout.stats.skipped, 1);
});

test("a path that is too slow costs pictures up to a key frame, not ever more delay", () => {
  const viewer = new Viewer();
  for (let i = 0; i < 150; i++) {
    viewer.show(i % 30 === 0, 40_000);
    viewer.pass(33_000);
  }
  assert.ok(viewer.playout.stats.skipped > 30, `${viewer.playout.stats.skipped} skipped`);
  assert.ok(viewer.session.sender!.pacer.expectedQueueTime < 2_000_000);
  assert.ok(viewer.arrived.every(({ data }) => data !== undefined));
});

test("a key frame is asked for at the beginning, by the viewer, and once when a path that was too slow has room again", () => {
  const viewer = new Viewer();
  assert.equal(viewer.keyFrameRequests, 0);
  viewer.show(false, 500);
  viewer.show(false, 500);
  assert.equal(viewer.keyFrameRequests, 1);
  viewer.show(true, 5000);
  viewer.pass(100_000);
  viewer.session.sender!.onKeyFrameRequest(5);
  assert.equal(viewer.keyFrameRequests, 2);
  viewer.show(false, 800_000);
  for (let i = 0; i < 100; i++) {
    viewer.show(false, 500);
    viewer.pass(33_000);
  }
  assert.ok(viewer.playout.stats.skipped > 10, `${viewer.playout.stats.skipped} skipped`);
  assert.equal(viewer.keyFrameRequests, 3);
  viewer.show(true, 5000);
  viewer.pass(100_000);
  viewer.show(false, 500);
  assert.equal(viewer.keyFrameRequests, 3);
});

/** Pictures of all encodings, each told apart by its first byte behind the NAL header, for so long. */
function run(viewer: Viewer, seconds: number, allowed: number, behind: readonly number[] = []): void {
  for (let i = 0; i < seconds * 30; i++) {
    viewer.encoder.onBitrate(allowed, 0);
    for (const [at, { bitrate, keyFrameRequests }] of viewer.encodings.entries()) {
      viewer.show(i % 60 === 0 || keyFrameRequests > 0, Math.round(bitrate / 8 / 30), at, behind[at]);
      viewer.encodings[at]!.keyFrameRequests = 0;
    }
    viewer.pass(33_333);
  }
}

test("a path that carries less gets a smaller encoding within a second, and a better one back when it has room for a while", () => {
  const viewer = new Viewer([1_500_000, 500_000, 150_000]);
  const { encodings, playout } = viewer;
  run(viewer, 1, 2_000_000);
  assert.equal(playout.present, encodings[0]);
  run(viewer, 1, 700_000);
  assert.equal(playout.present, encodings[1]);
  run(viewer, 1, 100_000);
  assert.equal(playout.present, encodings[2], "the smallest, though it is too much");
  run(viewer, 1.5, 1_600_000);
  assert.equal(playout.present, encodings[2], "not at once");
  run(viewer, 3, 1_600_000);
  assert.equal(playout.present, encodings[1], "with a fifth of room");
  run(viewer, 3, 2_000_000);
  assert.equal(playout.present, encodings[0]);
  assert.deepEqual(playout.choice.stats, { up: 2, down: 2 });
});

test("an encoding that lies behind is sent under stamps that rise, and goes on from key frame to key frame", () => {
  const viewer = new Viewer([1_500_000, 300_000]);
  run(viewer, 1, 2_000_000);
  run(viewer, 3, 400_000, [0, 600_000]);
  assert.equal(viewer.playout.present, viewer.encodings[1]);
  run(viewer, 3, 2_000_000, [0, 600_000]);
  assert.equal(viewer.playout.present, viewer.encodings[0]);
  const stamps = viewer.arrived.map(({ timestamp }) => timestamp);
  assert.ok(
    stamps.every((stamp, i) => i === 0 || stamp > stamps[i - 1]!),
    stamps.join(" "),
  );
  assert.ok(viewer.arrived.length > 200, `${viewer.arrived.length} pictures`);
});

test("an encoding that ends, or is no longer offered, is followed by another with its next key frame", () => {
  const viewer = new Viewer([1_500_000, 300_000]);
  const [best, small] = viewer.encodings;
  run(viewer, 1, 2_000_000);
  viewer.encodings.shift();
  viewer.pass(200_000);
  viewer.playout.unit(best!, viewer.show(false, 500));
  assert.equal(viewer.playout.present, undefined);
  assert.equal(small!.keyFrameRequests, 1);
  viewer.show(true, 500);
  assert.equal(viewer.playout.present, small);
});
