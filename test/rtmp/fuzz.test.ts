/**
 * Ten thousand damaged publish sessions: bits flipped, ends cut off, pieces spliced, swapped and repeated. Whatever comes, nothing throws, memory stays
 * within what arrived, and a failure is told once. A failing round prints its seed; LONGHAUL_SEED=<seed> replays it alone.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Prng } from "../../src/base/prng.ts";
import { FlvReader, firstTag } from "../../src/media/flv/tag.ts";
import { FlvToUnit } from "../../src/media/flv/to-unit.ts";
import { parseMetadata } from "../../src/media/rtmp/metadata.ts";
import { RtmpPublisher } from "../../src/media/rtmp/publisher.ts";
import { RtmpServer } from "../../src/media/rtmp/server.ts";
import { HANDSHAKE_BYTES, mutate } from "./mutate.ts";

const SESSION_BYTES = 6000;
const ROUNDS = 10_000;

const recordings = ["ffmpeg-5.1.bin", "gstreamer-1.22.bin"].map((file) =>
  new Uint8Array(readFileSync(join(import.meta.dirname, file))).subarray(0, HANDSHAKE_BYTES + SESSION_BYTES),
);
const noise = new Uint8Array(1528);

test(`${ROUNDS} mutated sessions neither throw nor hold more than arrived`, () => {
  const given = process.env.LONGHAUL_SEED;
  const reached = { publish: 0, media: 0, failed: 0, units: 0 };
  for (let round = 0; round < (given === undefined ? ROUNDS : 1); round++) {
    const seed = given === undefined ? 0x52_0000 + round : Number(given);
    const random = new Prng(seed);
    const bytes = mutate(recordings[random.below(recordings.length)]!, random);
    try {
      runServer(bytes, random, reached);
    } catch (error) {
      throw new Error(`seed ${seed}: LONGHAUL_SEED=${seed} node --test test/rtmp/fuzz.test.ts`, { cause: error });
    }
  }
  if (given !== undefined) return;
  // The mutations must leave enough whole for every stage to be reached, and break enough for failures.
  for (const [stage, count] of Object.entries(reached)) assert.ok(count > ROUNDS / 20, `${stage}: ${count} of ${ROUNDS}`);
});

test("damaged multitrack video neither throws nor makes more than came", () => {
  const file = new Uint8Array(readFileSync(join(import.meta.dirname, "../../src/media/flv/testing/multitrack-ffmpeg-8.1.flv")));
  const given = process.env.LONGHAUL_SEED;
  const reached = { units: 0, damaged: 0, failed: 0, tracks: 0 };
  for (let round = 0; round < (given === undefined ? 3000 : 1); round++) {
    const seed = given === undefined ? 0x63_0000 + round : Number(given);
    const random = new Prng(seed);
    const flv = new FlvToUnit({ picturesMax: 1 + random.below(4) });
    const reader = new FlvReader(file, firstTag(file));
    let units = 0;
    try {
      while (reader.next()) {
        const payload = file.slice(reader.start, reader.end);
        // Headers, mostly: kinds of packets and tracks, sizes.
        if (random.below(8) === 0) payload[random.below(Math.min(12, payload.length))] = random.below(256);
        flv.receive(reader.type, reader.timestamp, random.below(40) === 0 ? payload.subarray(0, random.below(payload.length)) : payload, 0);
        for (let event = flv.event(); event !== undefined; event = flv.event()) {
          if (event.kind === "unit") units++;
          else reached[event.kind === "track" ? "tracks" : "failed"]++;
        }
      }
    } catch (error) {
      throw new Error(`seed ${seed}: LONGHAUL_SEED=${seed} node --test test/rtmp/fuzz.test.ts`, { cause: error });
    }
    assert.ok(units <= 200, `seed ${seed}: ${units} of 148 units`);
    reached.units += units;
    reached.damaged += flv.stats.damaged;
  }
  if (given !== undefined) return;
  for (const [stage, count] of Object.entries(reached)) assert.ok(count > 500, `${stage}: ${count}`);
});

test("a publisher survives damaged answers", () => {
  const answers = serverAnswers();
  for (let round = 0; round < 1000; round++) {
    const seed = 0x71_0000 + round;
    const random = new Prng(seed);
    const bytes = mutate(answers, random);
    const publisher = new RtmpPublisher({ random: noise, app: "app", key: "demo-key", tcUrl: "rtmp://host/app" });
    let ends = 0;
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + 1 + random.below(2000));
      publisher.receive(at, bytes, at, end);
      at = end;
      for (let event = publisher.event(); event !== undefined; event = publisher.event()) if (event.kind !== "accepted") ends++;
    }
    assert.ok(ends <= 1, `seed ${seed}`);
  }
});

function runServer(bytes: Uint8Array, random: Prng, reached: Record<"publish" | "media" | "failed" | "units", number>): void {
  const server = new RtmpServer({ random: noise });
  const converter = new FlvToUnit();
  const into = new Uint8Array(2048);
  let failures = 0;
  let published = false;
  let media = false;
  let units = false;
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 1 + random.below(4000));
    server.receive(at, bytes, at, end);
    at = end;
    // The first chunk of a message reserves 64 KiB, a chunk header is at least 4 bytes, 64 chunk streams exist; answers echo C1.
    assert.ok(server.heldBytes <= 64 * 65_536 + 4 * bytes.length + 4096, `${server.heldBytes} bytes held`);
    for (let event = server.event(); event !== undefined; event = server.event()) {
      assert.equal(failures, 0, "nothing follows a failure");
      if (event.kind === "failed") failures++;
      else if (event.kind === "publish") {
        published = true;
        server.accept(at);
      } else if (event.kind === "media") {
        media = true;
        parseMetadata(event.message.payload);
        converter.receive(event.message.type, event.message.timestamp, event.message.payload, 0);
        while (converter.event() !== undefined);
      }
    }
    if (random.chance(0.9)) while (server.transmit(into, 0, into.length) > 0);
    units ||= converter.stats.videoUnits > 0;
  }
  assert.equal(failures === 1, server.state === "failed");
  reached.publish += Number(published);
  reached.media += Number(media);
  reached.failed += failures;
  reached.units += Number(units);
}

/** What the server says to a whole publisher's session. */
function serverAnswers(): Uint8Array {
  const server = new RtmpServer({ random: noise });
  const session = recordings[0]!;
  server.receive(0, session, 0, session.length);
  while (server.event()?.kind === "media");
  server.accept(0);
  const answers = new Uint8Array(16_384);
  return answers.subarray(0, server.transmit(answers, 0, answers.length));
}
