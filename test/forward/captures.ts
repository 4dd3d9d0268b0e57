/** What a datapath shows of its packets. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { addInternet, foldInternet } from "../../src/faketcp/checksum.ts";
import type { Datapath } from "../../src/forward/datapath.ts";
import { BACKEND, CLIENT } from "./lab.ts";

/** `send`: five datagrams of 1,200 bytes through forward f0, then five of 100 through another one, all answered. */
export async function captures(datapath: Datapath, send: () => Promise<void>): Promise<void> {
  const lengths: number[][] = [];
  const ends = new Set<string>();
  const all: number[] = [];
  const one = await datapath.capture({ forward: "f0", oneIn: 1, bytesMax: 64 }, (packet, _seconds, length) => {
    assert.equal(packet[0], 0x45);
    assert.equal(foldInternet(addInternet(packet, 0, 20)), 0);
    ends.add(`${packet.subarray(12, 16).join(".")} ${packet.subarray(16, 20).join(".")}`);
    lengths.push([packet.length, length]);
  });
  const whole = await datapath.capture({ forward: undefined, oneIn: 1, bytesMax: 2000 }, (packet) => {
    const pseudo = Uint8Array.of(...packet.subarray(12, 20), 0, 17, ...packet.subarray(24, 26));
    // What a socket of ours sends gets its checksum from the kernel, behind the place where it is seen.
    if ((packet[26]! | packet[27]!) !== 0)
      assert.equal(foldInternet(addInternet(packet, 20, packet.length, addInternet(pseudo, 0, pseudo.length))), 0);
    all.push(packet.length);
  });
  await send();
  for (let tries = 0; tries < 40 && (lengths.length < 10 || all.length < 20); tries++) await sleep(50);
  await whole.stop();
  await one.stop();
  assert.equal(lengths.length, 10);
  assert.equal(lengths.filter(([taken, length]) => taken === 64 && length === 1228).length, 10);
  assert.equal(all.length, 20);
  assert.equal(all.filter((bytes) => bytes === 1228).length, 10);
  assert.deepEqual([...ends].sort(), [`${CLIENT[4]} ${BACKEND.a[4]}`, `${BACKEND.a[4]} ${CLIENT[4]}`].sort());
  assert.equal(one.dropped, 0);
}
