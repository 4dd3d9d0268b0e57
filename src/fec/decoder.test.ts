import assert from "node:assert/strict";
import { test } from "node:test";
import { readVector, vectorsMissing } from "../../test/vectors/read.ts";
import { Prng } from "../base/prng.ts";
import { FecDecoder } from "./decoder.ts";
import { ShardPool } from "./shard-pool.ts";
import { decoderFor, Flow, receive } from "./testing/flow.ts";

const prng = new Prng(11);
const packet = (): Uint8Array => prng.fill(new Uint8Array(24 + prng.below(100)));

test("tells FEC packets from bare KCP packets and from what is too short", () => {
  const view = new DataView(new Uint8Array(32).buffer);
  for (const [type, expected] of [
    [0xf1, true],
    [0xf2, true],
    [0xf3, true],
    [0x51, false],
    [0x1f1, false],
  ] as const) {
    view.setUint16(4, type, true);
    assert.equal(FecDecoder.isFec(view, 0, 32), expected);
    assert.equal(FecDecoder.isData(view, 0, 32), type === 0xf1);
    assert.equal(FecDecoder.isFec(view, 0, 7), false);
  }
  const decoder = decoderFor();
  assert.equal(decoder.receive(0, new Uint8Array(0), view, 0, 32), 0);
  assert.equal(decoder.stats.errors, 1);
});

test("out of band packets belong to no group", { skip: vectorsMissing }, () => {
  const { oob_example_conv_04030201_hello } = readVector<{ oob_example_conv_04030201_hello: string }>("kcptun/kat/fec_framing.json");
  const bytes = new Uint8Array(Buffer.from(oob_example_conv_04030201_hello, "hex"));
  const decoder = decoderFor(3, 2);
  assert.equal(decoder.receive(0, bytes, new DataView(bytes.buffer), 0, bytes.length), 3);
  assert.equal(decoder.stats.dataShards + decoder.stats.parityShards, 0);
});

test("a decoder that knows nothing repairs from the group after the one it learned from", () => {
  const flow = new Flow();
  const decoder = decoderFor();
  const { packets, sent } = flow.groups(5, packet);
  const got = packets.flatMap((each, i) => (i === 3 * 13 + 4 || i === 4 * 13 + 9 ? [] : receive(decoder, each)));
  assert.deepEqual(got.sort(), sent.sort());
  assert.deepEqual([decoder.dataShards, decoder.parityShards, decoder.stats.retuned], [10, 3, 1]);
});

test("a sender that changes its group sizes under way is followed", () => {
  const flow = new Flow();
  const decoder = decoderFor();
  for (const [dataShards, parityShards] of [
    [10, 3],
    [5, 5],
    [10, 3],
    [20, 2],
    [1, 1],
    [3, 7],
  ] as const) {
    flow.send(packet()).forEach((each) => {
      receive(decoder, each);
    });
    flow.encoder.reshape(dataShards, parityShards);
    for (const each of flow.groups(4, packet).packets) receive(decoder, each);
    const before = decoder.stats.recovered;
    const { packets, sent } = flow.groups(2, packet);
    const got = packets.flatMap((each, i) => (i === 0 ? [] : receive(decoder, each)));
    assert.deepEqual(got.sort(), sent.sort(), `${dataShards}+${parityShards}`);
    assert.equal(decoder.stats.recovered, before + 1);
    assert.equal(decoder.dataShards, dataShards);
  }
  assert.equal(decoder.stats.retuned, 6);
});

test("a wrong guess of the sizes is corrected", () => {
  const decoder = decoderFor(4, 4);
  const { packets } = new Flow().groups(4, packet);
  for (const each of packets) receive(decoder, each);
  assert.deepEqual([decoder.dataShards, decoder.parityShards, decoder.stats.recovered], [10, 3, 0]);
});

test("numbers that wrap: losses on both sides are repaired", () => {
  for (const [dataShards, parityShards] of [
    [10, 3],
    [3, 2],
    [7, 4],
  ] as const) {
    const group = dataShards + parityShards;
    const paws = Math.floor(0xffffffff / group) * group;
    const flow = new Flow({ dataShards, parityShards, firstSeqid: paws - 3 * group });
    const decoder = decoderFor(dataShards, parityShards);
    const { packets, sent } = flow.groups(6, packet);
    const got = packets.flatMap((each, i) => (i % group === 1 ? [] : receive(decoder, each)));
    assert.deepEqual(got.sort(), sent.sort());
    assert.deepEqual([decoder.stats.recovered, decoder.stats.retuned, decoder.stats.tooOld], [6, 1, 0]);
  }
});

test("a number no sender uses is dropped and counted", () => {
  const decoder = decoderFor(10, 3);
  const [data] = new Flow().send(packet()) as [Uint8Array];
  new DataView(data.buffer).setUint32(0, 4294967287, true);
  assert.equal(receive(decoder, data).length, 1);
  assert.equal(decoder.stats.outOfRange, 1);
});

test("duplicates are counted and change nothing", () => {
  const decoder = decoderFor(4, 2);
  const { packets, sent } = new Flow({ dataShards: 4, parityShards: 2 }).groups(2, packet);
  const got = packets.flatMap((each, i) => (i % 6 === 2 ? [] : [receive(decoder, each), receive(decoder, each)].flat()));
  assert.deepEqual([...new Set(got)].sort(), sent.sort());
  assert.deepEqual([decoder.stats.duplicates, decoder.stats.recovered], [10, 2]);
});

test("a shard of a group given up is counted; a row of them means the sender began again", () => {
  const decoder = decoderFor(4, 2, 2);
  const flow = new Flow({ dataShards: 4, parityShards: 2 });
  const { packets } = flow.groups(20, packet);
  for (const each of packets.slice(6 * 17)) receive(decoder, each);
  for (const each of packets.slice(0, 60)) receive(decoder, each);
  assert.deepEqual([decoder.stats.tooOld, decoder.stats.recovered], [60, 0]);
  const again = packets.slice(60, 90);
  const lost = again.splice(12, 1)[0]!;
  assert.ok(again.flatMap((each) => receive(decoder, each)).includes(Buffer.from(lost.subarray(8)).toString("hex")));
});

test("what is longer than packetBytesMax is handed up, not kept", () => {
  const decoder = new FecDecoder({ packetBytesMax: 100, dataShards: 2, parityShards: 1 });
  const [data] = new Flow().send(new Uint8Array(93)) as [Uint8Array];
  assert.equal(receive(decoder, data).length, 1);
  assert.equal(decoder.stats.oversize, 1);
  assert.equal(decoder.bytesHeld, 0);
});

test("a repaired shard with an impossible size is an error, not a packet", () => {
  const decoder = decoderFor(2, 1);
  const { packets } = new Flow({ dataShards: 2, parityShards: 1 }).groups(1, packet);
  packets[2]!.fill(0xff, 6);
  assert.equal([packets[0]!, packets[2]!].flatMap((each) => receive(decoder, each)).length, 1);
  assert.deepEqual([decoder.stats.recovered, decoder.stats.errors], [0, 1]);
});

test("a full store is counted, and what fits is repaired", () => {
  const decoder = new FecDecoder({ packetBytesMax: 1500, shardsMax: 64, groupsMax: 8, dataShards: 60, parityShards: 10 });
  const { packets } = new Flow({ dataShards: 60, parityShards: 10 }).groups(2, packet);
  const got = packets.flatMap((each, i) => (i % 70 < 8 ? [] : receive(decoder, each)));
  assert.equal(got.length, 52 * 2 + decoder.stats.recovered);
  assert.ok(decoder.stats.recovered >= 4 && decoder.stats.storeFull >= 1, JSON.stringify(decoder.stats));
  assert.ok(decoder.bytesHeld <= 64 * 1500);
});

test("groups are counted as full, repaired or lost, with the shards that came in vain", () => {
  const decoder = decoderFor(4, 2, 2);
  const flow = new Flow({ dataShards: 4, parityShards: 2 });
  const lost: Readonly<Record<number, readonly number[]>> = { 1: [0, 3], 2: [1, 2, 3] };
  flow.groups(6, packet).packets.forEach((each, i) => {
    if (lost[Math.floor(i / 6)]?.includes(i % 6) !== true) receive(decoder, each);
  });
  receive(decoder, flow.send(packet())[0]!);
  const { fullGroups, repairedGroups, lostGroups, lost: data, short, recovered } = decoder.stats;
  assert.deepEqual([fullGroups, repairedGroups, lostGroups, data, short, recovered], [4, 1, 1, 3, 1, 2]);
  assert.deepEqual([decoder.openGroups, decoder.newestGroup], [1, 6]);
});

test("decoders share a pool; at rest a group that waits in vain gives its shards back, and so does a session that ends", () => {
  const pool = new ShardPool(1494);
  const options = { packetBytesMax: 1500, dataShards: 10, parityShards: 3, pool };
  const [one, other] = [new FecDecoder(options), new FecDecoder(options)];
  const flow = new Flow();
  for (let i = 0; i < 9; i++)
    for (const packet of flow.send(new Uint8Array(40).fill(i))) for (const decoder of [one, other]) receive(decoder, packet);
  assert.deepEqual([pool.out, one.bytesHeld], [18, 9 * 256]);
  one.rest();
  assert.deepEqual([pool.out, one.bytesHeld, one.openGroups, one.stats.lostGroups], [9, 0, 0, 0]);
  // It goes on with the next group as if nothing had been.
  const packets = Array.from({ length: 11 }, (_, i) => flow.send(new Uint8Array(40).fill(i))).flat();
  const out = packets.filter((_, i) => i !== 6).flatMap((packet) => receive(one, packet));
  assert.equal(out.length, 11);
  assert.equal(one.stats.recovered, 1);
  one.release();
  other.release();
  assert.equal(pool.out, 0);
});
