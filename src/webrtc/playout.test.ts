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
import type { Peer } from "./peer.ts";
import { Playout } from "./playout.ts";
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

class Viewer {
  now = 0;
  keyFrameRequests = 0;
  readonly playout = new Playout(() => this.keyFrameRequests++);
  readonly session: Session;
  /** Access units that arrived, with their timestamps. */
  readonly arrived: { readonly timestamp: number; readonly data: Uint8Array | undefined; readonly keyframe: boolean }[] = [];
  readonly assembler = new H264Assembler();
  #timestamp = -1;

  constructor() {
    const description = parseSessionDescription(offer().replaceAll("a=sendonly", "a=recvonly"))!;
    const section = agree(description, { encodings: { video: ["H264"] } })[1]!;
    const common = { ssrc: 1, cname: "x", unixEpoch: 0, overheadBytes: 44, sink: { packet() {} }, prng: new Prng(1) };
    this.session = new Session({ ...common, sections: [section], sender: { startBitrate: 2_000_000 } });
    const source = this.playout.source(section, tracks)!;
    const numbers = { ssrc: 5, rtxSsrc: 6, section, firstSequence: 1, firstRtxSequence: 1 };
    const stream = this.session.sender!.add(0, numbers, { min: source.min, max: source.max }, source.encoder)!;
    this.session.connect(0);
    const peer = { session: this.session, outbound: [stream], up: true, now: () => this.now, wake() {} };
    this.playout.start(peer as unknown as Peer, tracks);
  }

  show(keyframe: boolean, bytes: number): Unit {
    const data = new Uint8Array(4 + bytes).fill(9);
    new DataView(data.buffer).setUint32(0, bytes);
    data[4] = keyframe ? 0x65 : 0x41;
    const unit: Unit = { kind: "video", dts: this.now, pts: this.now, keyframe, data, arrival: 0 };
    this.playout.unit(unit);
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
