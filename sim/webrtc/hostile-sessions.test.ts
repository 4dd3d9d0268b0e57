/**
 * Mutated publish sessions by RTP, each a session of its own up to a channel's playlist: datagrams damaged, cut, lost, repeated, swapped, made up. Nothing
 * throws, what is held is bounded, and whatever becomes of it is a playlist. A failing session prints its seed.
 *
 *   SESSIONS=10000 SEED=7 node --test sim/webrtc/hostile-sessions.test.ts
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../src/base/prng.ts";
import { Channel } from "../../src/live/channel.ts";
import { segmenterDefaults } from "../../src/media/hls/segmenter.ts";
import { H264Packetizer } from "../../src/media/rtp/h264-payload.ts";
import { isRtcp } from "../../src/media/rtp/rtcp-header.ts";
import { bytesOf } from "../../src/media/rtp/testing/packet.ts";
import { putTraffic } from "../../src/media/rtp/testing/traffic.ts";
import type { Negotiated } from "../../src/media/sdp/negotiation.ts";
import { Ingest } from "../../src/webrtc/ingest.ts";
import { DATAGRAM_BYTES, Session } from "../../src/webrtc/session.ts";

const sessions = Number(process.env.SESSIONS ?? 200);
const seed = Number(process.env.SEED ?? 20_261_121);
const [VIDEO, AUDIO] = [96, 111] as const;
const sets = [bytesOf("6742c01fd900a02ff97011000003000100000300780f183248"), bytesOf("68cb83cb20")];
const PICTURES = 24;
const HELD_MAX = 8 * 2 ** 20;

test(`${sessions} mutated RTP sessions (seed ${seed})`, () => {
  const whole = publication();
  const reached = { tracks: 0, parts: 0, damaged: 0, keyFramesAsked: 0 };
  for (let n = 0; n < sessions; n++) {
    try {
      run(whole, new Prng(seed + n), reached);
    } catch (error) {
      throw new Error(`SESSIONS=1 SEED=${seed + n} node --test sim/webrtc/hostile-sessions.test.ts`, { cause: error });
    }
  }
  if (sessions === 1) return;
  // Enough whole for every stage to be reached, enough broken to be noticed.
  for (const [stage, count] of Object.entries(reached)) assert.ok(count > sessions / 20, `${stage}: ${count} of ${sessions}`);
});

function run(whole: readonly Uint8Array[], prng: Prng, reached: Record<"tracks" | "parts" | "damaged" | "keyFramesAsked", number>): void {
  const channel = new Channel("show", {
    window: { firstMsn: 1, segmentsMax: 4, segmentsKept: 1, bytesMax: HELD_MAX, targetDuration: 2 },
    segmenter: segmenterDefaults,
    waitersMax: 1,
    offlineKeep: 0,
    compress: () => new Uint8Array(),
  });
  channel.start(1);
  const ingest = new Ingest(
    { tracks: (tracks) => channel.configure(tracks), unit: (unit) => channel.push(unit.dts / 1000, unit) },
    { keyFrameInterval: 2_000_000, wallClock: () => 1_800_000_000_000 },
  );
  const sections = [section("video", VIDEO, 90_000), section("audio", AUDIO, 48_000)];
  const given = { sections, ssrc: 1, cname: "us", unixEpoch: 1e12, overheadBytes: 44, sink: ingest, prng: new Prng(1) };
  const session = new Session(given);
  session.connect(0);
  const buffer = new Uint8Array(DATAGRAM_BYTES);
  const view = new DataView(buffer.buffer);
  const out = new DataView(new ArrayBuffer(DATAGRAM_BYTES));
  let now = 0;
  for (const datagram of mutated(whole, prng)) {
    now += prng.chance(0.01) ? prng.below(3_000_000) : prng.below(8000);
    const length = Math.min(datagram.length, buffer.length);
    buffer.set(datagram.subarray(0, length));
    if (isRtcp(buffer, 0, length)) session.receiveRtcp(now, buffer, view, length);
    else session.receiveRtp(now, buffer, view, length);
    session.advance(now);
    ingest.advance(now);
    let written = 0;
    while (session.transmit(now, out) > 0) assert.ok(++written < 100, "work of a round is bounded");
  }
  channel.end(now / 1000);
  const { stats, packet, streams } = session.receiver;
  assert.ok(streams.length <= 64);
  assert.ok(channel.window.bytesHeld <= HELD_MAX);
  const text = channel.playlists.playlist(false).text;
  assert.ok(text === "" || text.startsWith("#EXTM3U\n"));
  reached.tracks += Number(channel.tracks.length > 0);
  reached.parts += Number(channel.window.counters.parts > 0);
  reached.damaged += Number(packet.stats.damagedHeaders + stats.unknown + ingest.stats.broken > 0);
  reached.keyFramesAsked += Number(session.rtcpSent > 1);
}

function* mutated(whole: readonly Uint8Array[], prng: Prng): Generator<Uint8Array> {
  const share = prng.float() * 0.2;
  let kept: Uint8Array | undefined;
  for (const datagram of whole) {
    if (!prng.chance(share)) {
      yield datagram;
      continue;
    }
    const kind = prng.below(7);
    const copy = datagram.slice();
    if (kind === 0) for (let flips = 1 + prng.below(8); flips > 0; flips--) copy[prng.below(copy.length)]! ^= 1 << prng.below(8);
    else if (kind === 1) prng.fill(copy.subarray(prng.below(Math.min(24, copy.length))));
    if (kind === 2) yield datagram.subarray(0, prng.below(datagram.length));
    else if (kind === 3) kept = copy;
    else if (kind === 4) {
      yield datagram;
      yield kept ?? datagram;
    } else if (kind === 5) {
      const traffic = new Uint8Array(1200);
      yield traffic.subarray(0, putTraffic(prng, new DataView(traffic.buffer)));
    } else yield copy;
  }
}

/** A second of pictures, a key frame every eight, and of sound. */
function publication(): readonly Uint8Array[] {
  const datagrams: Uint8Array[] = [];
  const sequence = { [VIDEO]: 65_500, [AUDIO]: 10 };
  const packetizer = new H264Packetizer();
  const add = (type: 96 | 111, payload: Uint8Array, timestamp: number, marker: boolean): void => {
    const datagram = new Uint8Array(12 + payload.length);
    const view = new DataView(datagram.buffer);
    datagram[0] = 0x80;
    datagram[1] = type | (marker ? 0x80 : 0);
    view.setUint16(2, sequence[type]!++ & 0xffff);
    view.setUint32(4, timestamp >>> 0);
    view.setUint32(8, 1000 + type);
    datagram.set(payload, 12);
    datagrams.push(datagram);
  };
  for (let n = 0; n < PICTURES; n++) {
    const nal = new Uint8Array(n % 8 === 0 ? 900 : 300).fill(7);
    nal[0] = n % 8 === 0 ? 0x65 : 0x41;
    packetizer.open(Uint8Array.of(0, 0, nal.length >> 8, nal.length & 255, ...nal), n % 8 === 0 ? sets : []);
    const into = new Uint8Array(200);
    for (let length = packetizer.next(into, 200); length > 0; length = packetizer.next(into, 200))
      add(VIDEO, into.slice(0, length), 4_294_900_000 + n * 3000, packetizer.last);
    for (let i = 0; i < 2; i++) add(AUDIO, Uint8Array.of(0xfc, 1, 2), (2 * n + i) * 960, false);
  }
  return datagrams;
}

function section(kind: string, payloadType: number, clockRate: number): Negotiated {
  const format = { payloadType, encoding: kind === "video" ? "H264" : "opus", clockRate, channels: 0, parameters: "", feedback: [] };
  return {
    ...{
      mid: kind,
      kind,
      format,
      rtxPayloadType: -1,
      direction: "sendonly",
      congestionFeedback: "transport-cc",
      nack: true,
      pictureLoss: true,
    },
    ...{ fullIntraRequest: false, reducedSize: true, transportSequenceNumberId: 4, absSendTimeId: -1, midId: -1, streams: [] },
  };
}
