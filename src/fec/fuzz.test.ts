/** Damaged and hostile FEC packets: no throw, no loop, bounded memory. SEED=… repeats a run. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { decoderFor, Flow, recovered } from "./testing/flow.ts";

const seed = Number(process.env.SEED ?? 20_260_126);
const inputs = 100_000;

test(`${inputs} mutated packets, seed ${seed}`, (t) => {
  t.diagnostic(`fec fuzz: SEED=${seed}`);
  const prng = new Prng(seed);
  const decoder = decoderFor();
  const flow = new Flow();
  const bytes = new Uint8Array(2048);
  const view = new DataView(bytes.buffer);
  let pending: Uint8Array[] = [];
  for (let n = 0; n < inputs; n++) {
    if (pending.length === 0) {
      if (prng.chance(0.002)) flow.encoder.reshape(1 + prng.below(30), 1 + prng.below(10));
      pending = flow.send(prng.fill(new Uint8Array(prng.below(prng.chance(0.02) ? 1492 : 60))));
    }
    const packet = pending.shift()!;
    const start = prng.below(8);
    bytes.set(packet, start);
    let end = start + packet.length;
    // Half of the time nothing happens to them, so that the decoder is in tune when something does.
    switch (prng.below(16)) {
      case 0:
        end = start + prng.below(packet.length + 1);
        break;
      case 1:
        end += prng.below(bytes.length - end);
        break;
      case 2:
        bytes[start + prng.below(packet.length)]! ^= 1 << prng.below(8);
        break;
      case 3:
        view.setUint32(start, prng.chance(0.5) ? prng.u32() : 0xffffffff - prng.below(16), true);
        break;
      case 4:
        view.setUint32(start, view.getUint32(start, true) + prng.below(100) - 50, true);
        break;
      case 5:
        view.setUint16(start + 4, 0xf1 + prng.below(3), true);
        break;
      case 6:
        prng.fill(bytes.subarray(start, end));
        break;
      case 7:
        if (prng.chance(0.5)) pending.unshift(packet);
        else continue;
    }
    const kind = decoder.receive(n, bytes, view, start, end);
    assert.ok(kind >= 0 && kind <= 3);
    for (const hex of recovered(decoder)) assert.ok(hex.length / 2 <= 1492);
  }
  const { stats } = decoder;
  // The run is worth something only if it reached every corner.
  for (const [name, count] of Object.entries(stats)) {
    if (name !== "storeFull") assert.ok(count > 0, `${name} was never counted: ${JSON.stringify(stats)}`);
  }
  assert.ok(decoder.bytesHeld <= 1024 * 1500);
});
