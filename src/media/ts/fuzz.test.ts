/**
 * Damaged and hostile transport streams: no throw, bounded memory, everything counted. SEED=… repeats a run, LONGHAUL_FUZZ=5 makes it five times as long.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../base/prng.ts";
import { hevc } from "../flv/testing/coded-video.ts";
import type { Track, Unit } from "../unit.ts";
import { TransportStreamWriter } from "./testing/transport-stream.ts";
import { TsToUnit } from "./to-unit.ts";

const seed = Number(process.env.SEED ?? 20_261_121);
const streams = 3000 * Number(process.env.LONGHAUL_FUZZ ?? 1);

const video: Track = {
  kind: "video",
  codec: "avc1.64001f",
  width: 640,
  height: 360,
  framesPerSecond: 30,
  configuration: Buffer.from("0164001fffe1001b6764001fac4c2205017fcb8088000003000800000301e078c1908c01000668e84332c8b0fdf8f800", "hex"),
};
const audio: Track = {
  kind: "audio",
  codec: "mp4a.40.2",
  sampleRate: 32_000,
  channels: 2,
  samplesPerUnit: 1024,
  configuration: Uint8Array.of(0x12, 0x90),
};

function original(prng: Prng): Uint8Array {
  const writer = new TransportStreamWriter(
    [video, audio],
    prng.chance(0.2) ? { videoType: prng.chance(0.3) ? 2 : 0x24, sets: hevc.pictures } : {},
  );
  writer.tables();
  for (let i = 0; i < 12; i++) {
    const size = 6 + prng.below(prng.chance(0.2) ? 2000 : 300);
    const picture = prng.fill(new Uint8Array(size));
    picture.set([0, 0, (size - 4) >> 8, (size - 4) & 0xff, i % 4 === 0 ? 0x65 : 0x41]);
    const unit = (kind: "video" | "audio", data: Uint8Array): Unit => ({
      kind,
      dts: i * 33_000,
      pts: i * 33_000,
      keyframe: i % 4 === 0,
      data,
      arrival: 0,
    });
    writer.unit(unit("video", picture));
    writer.unit(unit("audio", prng.fill(new Uint8Array(20 + prng.below(400)))));
  }
  return writer.finish();
}

function damaged(bytes: Uint8Array, prng: Prng): Uint8Array {
  let out = bytes.slice();
  for (let n = prng.below(12); n > 0; n--) {
    const at = prng.below(out.length);
    const length = prng.below(400);
    switch (prng.below(5)) {
      case 0:
        out[at]! ^= 1 << prng.below(8);
        break;
      case 1:
        // A packet's head, where it hurts most.
        out[Math.floor(at / 188) * 188 + prng.below(12)] = prng.u32();
        break;
      case 2:
        out = new Uint8Array(Buffer.concat([out.subarray(0, at), out.subarray(at + length)]));
        break;
      case 3:
        out = new Uint8Array(Buffer.concat([out.subarray(0, at), out.subarray(at, at + length), out.subarray(at)]));
        break;
      default:
        prng.fill(out.subarray(at, at + length));
    }
  }
  return out;
}

test(`${streams} damaged transport streams, seed ${seed}`, (t) => {
  t.diagnostic(`ts fuzz: SEED=${seed}`);
  const prng = new Prng(seed);
  const total = { units: 0, damaged: 0, skipped: 0, gaps: 0, broken: 0, failed: 0, tracks: 0 };
  let bytes = original(prng);
  for (let n = 0; n < streams; n++) {
    if (n % 4 === 0) bytes = original(prng);
    const ts = new TsToUnit({ eventsMax: 64 });
    const input = damaged(bytes, prng);
    for (let at = 0; at < input.length; ) {
      const piece = 1 + prng.below(3000);
      ts.receive(input.subarray(at, at + piece), n);
      at += piece;
      let last = { video: Number.NEGATIVE_INFINITY, audio: Number.NEGATIVE_INFINITY };
      for (let event = ts.event(); event !== undefined; event = ts.event()) {
        if (event.kind === "failed") total.failed++;
        else if (event.kind === "track") {
          total.tracks++;
          if (event.track.kind === "video") assert.ok(event.track.width > 0 && event.track.height > 0);
        } else {
          const { kind, dts, data } = event.unit;
          total.units++;
          assert.ok(dts > last[kind] && Number.isFinite(event.unit.pts), "times go on");
          assert.ok(data.length > 0 && data.length <= input.length);
          last = { ...last, [kind]: dts };
        }
      }
    }
    ts.end(n);
    total.damaged += ts.stats.damaged;
    total.skipped += ts.stats.skipped;
    total.broken += ts.stats.broken;
    total.gaps += ts.gaps;
  }
  // The damage must reach all there is, and leave much that is understood.
  assert.ok(total.units > streams * 5 && total.tracks > streams, JSON.stringify(total));
  for (const [what, count] of Object.entries(total))
    assert.ok(count > (what === "failed" ? 0 : streams / 20), `${what}: ${JSON.stringify(total)}`);
});
