/** Loss sweep: whatever is lost, as long as no group loses more than its parity, arrives exactly. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readVector, vectorsMissing } from "../../test/vectors/read.ts";
import { Prng } from "../base/prng.ts";
import { decoderFor, Flow, hexOf, receive } from "./testing/flow.ts";

const seed = 20260;

function packetsOf(prng: Prng, longest: number): () => Uint8Array {
  return () => prng.fill(new Uint8Array(1 + prng.below(longest)));
}

test("every pattern of up to ps losses in groups of 5+3 and 2+1 is repaired", () => {
  for (const [dataShards, parityShards] of [
    [5, 3],
    [2, 1],
  ] as const) {
    const group = dataShards + parityShards;
    const prng = new Prng(seed);
    const flow = new Flow({ dataShards, parityShards });
    const decoder = decoderFor(dataShards, parityShards);
    let missing = 0;
    for (let pattern = 0; pattern < 1 << group; pattern++) {
      const lost = (i: number): boolean => ((pattern >> i) & 1) === 1;
      const losses = Array.from({ length: group }, (_, i) => i).filter(lost);
      if (losses.length > parityShards) continue;
      missing += losses.filter((i) => i < dataShards).length;
      const { packets, sent } = flow.groups(1, packetsOf(prng, 60));
      const got = packets.flatMap((packet, i) => (lost(i) ? [] : receive(decoder, packet)));
      assert.deepEqual(got.sort(), sent.sort(), `${dataShards}+${parityShards}, losses ${losses}`);
    }
    assert.equal(decoder.stats.recovered, missing);
    assert.equal(decoder.stats.errors + decoder.stats.lost, 0);
  }
});

test(`random sizes, losses and orders of arrival (seed ${seed})`, () => {
  const prng = new Prng(seed);
  for (let round = 0; round < 60; round++) {
    const dataShards = 1 + prng.below(30);
    const parityShards = 1 + prng.below(12);
    const flow = new Flow({ dataShards, parityShards });
    const decoder = decoderFor(dataShards, parityShards);
    for (let g = 0; g < 3; g++) {
      const { packets, sent } = flow.groups(1, packetsOf(prng, round % 10 === 0 ? 1492 : 100));
      let losses = 0;
      const arriving = packets.filter(() => losses >= parityShards || !prng.chance(0.3) || ++losses === 0);
      for (let i = arriving.length - 1; i > 0; i--) {
        const j = prng.below(i + 1);
        [arriving[i], arriving[j]] = [arriving[j]!, arriving[i]!];
      }
      const got = arriving.flatMap((packet) => receive(decoder, packet));
      // A packet repaired before it arrived late comes twice, as kcp-go hands it up; KCP ignores the second.
      assert.deepEqual([...new Set(got)].sort(), [...new Set(sent)].sort(), `round ${round}, ${dataShards}+${parityShards}`);
    }
    assert.equal(decoder.stats.errors, 0);
  }
});

test("more than ps losses: nothing wrong is handed up, and the loss is counted", () => {
  const prng = new Prng(seed);
  const flow = new Flow({ dataShards: 4, parityShards: 2 });
  const decoder = decoderFor(4, 2, 1);
  const { packets, sent } = flow.groups(2, packetsOf(prng, 100));
  const got = packets.flatMap((packet, i) => (i === 0 || i === 2 || i === 4 ? [] : receive(decoder, packet)));
  assert.deepEqual(
    got,
    sent.filter((_, i) => i !== 0 && i !== 2),
  );
  assert.equal(decoder.stats.lost, 2);
});

test("recorded sessions: any one lost data shard of a complete group comes back", { skip: vectorsMissing }, () => {
  for (const [file, head] of [
    ["new-null-plain-smux2-fec", 0],
    ["loss-fec-recovers", 20],
  ] as const) {
    const { datagrams } = readVector<{ datagrams: { d: string; h: string; dropped?: boolean }[] }>(`kcptun/sessions/${file}.json`);
    const packets = datagrams.filter(({ d }) => d === "c2s").map(({ h }) => new Uint8Array(Buffer.from(h, "hex").subarray(head)));
    const seqids = packets.map((packet) => new DataView(packet.buffer, packet.byteOffset).getUint32(0, true));
    let groups = 0;
    for (let first = 0; seqids.includes(first + 12); first += 13) {
      if (new Set(seqids.filter((seqid) => seqid >= first && seqid < first + 13)).size !== 13) continue;
      groups++;
      for (let lost = first; lost < first + 10; lost++) {
        const decoder = decoderFor(10, 3);
        const got = packets.flatMap((packet, i) => (seqids[i] === lost ? [] : receive(decoder, packet)));
        assert.ok(got.includes(hexOf(packets[seqids.indexOf(lost)]!.subarray(8))), `${file}: seqid ${lost}`);
      }
    }
    assert.ok(groups > 0, file);
  }
});
