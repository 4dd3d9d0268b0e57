/** Damaged and hostile byte streams: no throw, no loop, bounded memory. SEED=… repeats a run. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { DATA, SmuxSession } from "./session.ts";
import { frame, update } from "./testing/end.ts";

const seed = Number(process.env.SEED ?? 20_260_126);
const inputs = 100_000;
const streamsMax = 64;
const receiveBytes = 4096;

/** A few frames, mostly in order, then bytes changed, cut out or put in. */
function hostile(prng: Prng, version: number, into: Uint8Array): number {
  let length = 0;
  const frames = 1 + prng.below(4);
  for (let i = 0; i < frames; i++) {
    const sid = prng.chance(0.9) ? prng.below(100) : prng.u32();
    const cmd = prng.below(5);
    const body = cmd === 2 || (cmd === 0 && prng.chance(0.3)) ? prng.below(40) : 0;
    const bytes =
      cmd === 4 && version === 2
        ? update(sid, prng.chance(0.8) ? 0 : prng.u32(), prng.u32())
        : frame(version, cmd === 4 ? 3 : cmd, sid, body);
    into.set(bytes, length);
    length += bytes.length;
  }
  if (prng.chance(0.3)) into[prng.below(length)] = prng.u32();
  if (prng.chance(0.1)) length -= prng.below(length);
  return length;
}

test(`${inputs} mutated inputs, seed ${seed}`, (t) => {
  t.diagnostic(`smux fuzz: SEED=${seed}`);
  const prng = new Prng(seed);
  const bytes = new Uint8Array(512);
  const out = new Uint8Array(2048);
  const outView = new DataView(out.buffer);
  let session = new SmuxSession({ role: "server", version: 2, streamsMax, receiveBytes });
  let failures = 0;
  let events = 0;
  for (let i = 0; i < inputs; i++) {
    // A damaged length swallows many inputs: a new session now and then keeps them from all being payload.
    if (session.failure !== undefined || prng.chance(0.05)) {
      if (session.failure !== undefined) failures++;
      session = new SmuxSession({
        role: prng.chance(0.2) ? "client" : "server",
        version: prng.chance(0.5) ? 1 : 2,
        streamsMax,
        receiveBytes,
      });
      if (prng.chance(0.5)) session.allowDescriptions(prng.below(64));
    }
    const length = hostile(prng, session.version, bytes);
    for (let at = 0; at < length; ) {
      const end = Math.min(length, at + 1 + prng.below(60));
      const n = session.receive(0, bytes, at, end);
      assert.ok(n >= 1 && n <= end - at, `input ${i} consumes ${n} of ${end - at}`);
      if (session.event !== 0) events++;
      if (session.event === DATA) assert.ok(session.dataStart >= at && session.dataStart < session.dataEnd && session.dataEnd <= at + n);
      if (session.event === DATA && prng.chance(0.7)) session.consumed(0, session.eventSid, session.dataEnd - session.dataStart);
      if (session.event !== 0 && prng.chance(0.1)) session.forget(0, session.eventSid);
      if (session.event !== 0 && prng.chance(0.1)) session.describe(0, session.eventSid, new Uint8Array(prng.below(513)));
      if (session.event !== 0 && prng.chance(0.1)) session.finish(0, session.eventSid);
      at += n;
    }
    if (prng.chance(0.3)) while (session.transmit(0, out, outView, 0, 8 + prng.below(2000)) > 0 && prng.chance(0.9));
    assert.ok(session.streams <= streamsMax, `${session.streams} streams`);
  }
  // The mutations must reach both sides: much that is understood, much that is fatal.
  assert.ok(failures > inputs / 50 && events > inputs / 5, `${failures} failures, ${events} events`);
});
