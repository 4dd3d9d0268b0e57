/**
 * Every recorded session of the real programs is decoded layer by layer by our cores, both ways, down to the hash of the payload;
 * and what the real programs computed (parity, snappy) is computed again and compared byte for byte.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { FecEncoder } from "../../src/fec/encoder.ts";
import { SnappyEncoder } from "../../src/snappy/encoder.ts";
import { vectorsMissing } from "./read.ts";
import { recordings, type Settings, undecodable } from "./recording.ts";
import { type Receiver, type Replay, replay } from "./replay.ts";

function sha256(pieces: readonly Uint8Array[]): string {
  return createHash("sha256").update(Buffer.concat(pieces)).digest("hex");
}

function checkLayers({ settings, server, client }: Replay, drops: boolean): void {
  for (const end of [server, client]) {
    assert.equal(end.cipher.stats.checksumErrors + end.cipher.stats.shortDatagrams, 0, "every datagram is opened");
    assert.equal(end.fec.stats.errors, 0);
    assert.equal(end.kcp?.stats.inErrs, 0, "every KCP packet is whole and of this conversation");
    assert.equal(end.snappy?.failed, undefined);
    assert.equal(end.smux.failure, undefined);
    assert.equal(end.smux.stats.discardedBytes, 0);
    if (!drops) assert.equal(end.fec.stats.recovered, 0);
  }
  assert.equal(server.sniffed?.compressed, settings.compressed);
  if (!settings.compressed) assert.equal(server.sniffed?.version, settings.smuxVersion);
  assert.equal(server.smux.version, settings.smuxVersion);
}

/** Groups of which every shard was recorded, made again from their data shards. Answers how many there were. */
function checkParity(end: Receiver, { dataShards, parityShards }: Settings): number {
  const shards = dataShards + parityShards;
  const bySeqid = new Map(end.fecPackets.map((packet) => [new DataView(packet.buffer).getUint32(0, true), packet]));
  const into = new Uint8Array(2048);
  const view = new DataView(into.buffer);
  let groups = 0;
  for (let first = 0; bySeqid.size > 0 && first <= Math.max(...bySeqid.keys()); first += shards) {
    const group = Array.from({ length: shards }, (_, i) => bySeqid.get(first + i));
    if (group.some((packet) => packet === undefined)) continue;
    groups++;
    const encoder = new FecEncoder({ dataShards, parityShards, profile: "2021", packetBytesMax: 1500, firstSeqid: first });
    for (const [i, packet] of group.entries()) {
      if (i < dataShards) {
        into.set(packet!.subarray(FecEncoder.headBytes), 100);
        const end = 100 + packet!.length - FecEncoder.headBytes;
        assert.equal(encoder.encode(0, into, view, 100, end), i === dataShards - 1 ? parityShards : 0);
        assert.deepEqual(into.slice(100 - FecEncoder.headBytes, end), packet, `data shard ${first + i}`);
      } else {
        const length = encoder.parity(i - dataShards, into, view, 0);
        assert.deepEqual(into.slice(0, length), packet, `parity shard ${first + i}`);
      }
    }
  }
  return groups;
}

/** Our encoder, given the same pieces, makes the same chunks. */
function checkSnappy(end: Receiver): void {
  const encoder = new SnappyEncoder();
  const into = new Uint8Array(SnappyEncoder.encodedBytesMax(65_536));
  const made = end.frames.map((frame) => into.slice(0, encoder.encode(frame, 0, frame.length, into, 0)));
  assert.ok(made.length > 0);
  assert.deepEqual(Buffer.concat(made), Buffer.concat(end.chunks));
}

/** Groups that were recorded whole, both directions together; sessions that are not named are too short for one. */
const wholeGroups: Readonly<Record<string, number>> = {
  "matrix-fec1-smux1-comp0": 4,
  "matrix-fec1-smux1-comp1": 1,
  "matrix-fec1-smux2-comp0": 4,
  "new-null-plain-smux2-fec": 2,
  "loss-fec-recovers": 4,
  "interop-debclient-newserver": 1,
  "fec-client-only": 1,
};

for (const recording of vectorsMissing === false ? recordings() : []) {
  test(`recorded session ${recording.name}`, { skip: undecodable(recording) }, () => {
    const { payload, name } = recording;
    const drops = name.includes("loss");
    const result = replay(recording);
    const { settings, server, client } = result;
    checkLayers(result, drops);
    assert.equal(server.payload.size, payload.streams);
    for (const end of [server, client]) {
      assert.deepEqual([...end.payload.keys()], [...server.payload.keys()]);
      for (const [sid, pieces] of end.payload) assert.equal(sha256(pieces), payload.sha256, `stream ${sid}, ${end.direction}`);
    }
    if (settings.dataShards > 0) {
      assert.equal(checkParity(server, settings) + checkParity(client, settings), wholeGroups[name] ?? 0);
    }
    if (settings.compressed) for (const end of [server, client]) checkSnappy(end);
    if (name === "loss-fec-recovers") assert.equal(client.fec.stats.recovered, 2, "FEC brings back what was dropped");
    assert.equal(server.finished.length, payload.streams, "the client ends its streams");
  });
}

test("there are vectors to decode", { skip: vectorsMissing }, () => {
  const decodable = recordings().filter((recording) => undecodable(recording) === false);
  assert.ok(decodable.length >= 32, `${decodable.length} decodable recordings`);
});
