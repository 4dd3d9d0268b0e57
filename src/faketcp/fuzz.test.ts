/** Whatever comes in the place of a sealed packet is refused or opened, never more than its own bytes are touched, and nothing throws. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { crc32, faketcpPrimitives } from "../host/faketcp-crypto.ts";
import { authModes } from "./auth-mode.ts";
import { cipherModes } from "./cipher-mode.ts";
import { deriveKeys } from "./keys.ts";
import { type Bare, readBare, readSafer, type Safer } from "./packet.ts";
import { Seal, TAIL_BYTES_MAX } from "./seal.ts";

const SEED = Number(process.env.SEED ?? 20_261_121);
const ROUNDS = 4000;

test("damaged packets of every pair of modes", () => {
  console.log(`faketcp fuzz: SEED=${SEED}`);
  const random = new Prng(SEED);
  const keys = deriveKeys("fuzz", faketcpPrimitives);
  const bare: Bare = { sender: 0, receiver: 0, constant: 0 };
  const safer: Safer = { sender: 0, receiver: 0, seqHigh: 0, seqLow: 0, type: 0, roller: 0, conversation: 0 };
  const room = new Uint8Array(new ArrayBuffer(4096));
  const view = new DataView(room.buffer);
  for (const cipherMode of cipherModes) {
    for (const authMode of authModes) {
      const seal = new Seal("client-->server", { cipherMode, authMode, fixGro: random.below(2) === 1 }, keys, faketcpPrimitives, crc32);
      let forged = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const start = 2 + random.below(60);
        const length = random.below(round % 50 === 0 ? 1900 : 120);
        random.fill(room.subarray(start, start + length));
        const plain = room.slice(start, start + length);
        const genuine = random.below(2) === 1;
        let end = start + length;
        if (genuine) {
          end = seal.seal(room, start, end);
          if (end < 0) continue;
        }
        const whole = room.slice(0, end);
        const flipped = genuine && end > start && random.below(2) === 1;
        if (flipped) room[start + random.below(end - start)]! ^= 1 << random.below(8);
        room.fill(0xa5, end, end + TAIL_BYTES_MAX);
        const opened = seal.open(room, start, end);
        assert.ok(opened <= end);
        if (opened >= 0) {
          if (genuine && !flipped) assert.deepEqual(room.slice(start, opened), plain);
          else if (authMode !== "none") forged++;
          readBare(room, view, start, opened, bare);
          readSafer(room, view, start, opened, safer);
        } else assert.ok(!genuine || flipped, `${cipherMode} ${authMode}: a genuine packet is refused`);
        assert.deepEqual(room.slice(0, start), whole.slice(0, start));
        assert.ok(room.subarray(end, end + TAIL_BYTES_MAX).every((byte) => byte === 0xa5));
        seal.next(room, start, end);
      }
      // CRC-32 and the two hashes let a forgery in now and then, and so does an empty packet of "simple" or none.
      assert.ok(forged < ROUNDS / 100, `${cipherMode} ${authMode}: ${forged} forgeries`);
    }
  }
});
