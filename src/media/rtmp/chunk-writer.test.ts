import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteQueue } from "../../base/byte-queue.ts";
import { Prng } from "../../base/prng.ts";
import { ChunkReader } from "./chunk-reader.ts";
import { ChunkWriter } from "./chunk-writer.ts";
import { defaultLimits, newStats } from "./limits.ts";

test("writes the shortest header that says all", () => {
  const { writer, wire } = newWriter();
  const two = Uint8Array.of(0xaa, 0xbb);
  writer.write(4, 8, 1, 1000, two, true);
  writer.write(4, 8, 1, 1020, two, true);
  writer.write(4, 8, 1, 1040, two, true);
  writer.write(4, 8, 1, 1061, Uint8Array.of(0xcc), true);
  writer.write(4, 8, 1, 1050, two, true);
  writer.write(4, 8, 1, 1060, two);
  assert.equal(
    wire(),
    "040003e80000020801000000aabb" +
      "84000014aabb" +
      "c4aabb" +
      "4400001500000108cc" +
      "0400041a0000020801000000aabb" +
      "040004240000020801000000aabb",
  );
});

test("never leaves the delta out right after a full header or when it is extended", () => {
  const { writer, wire } = newWriter();
  const one = Uint8Array.of(0xaa);
  writer.write(4, 8, 1, 20, one, true);
  writer.write(4, 8, 1, 40, one, true);
  assert.equal(wire(), "040000140000010801000000aa" + "84000014aa");
  writer.write(4, 8, 1, 40 + 0xffffff, one, true);
  writer.write(4, 8, 1, 40 + 2 * 0xffffff, one, true);
  assert.equal(wire(), "84ffffff00ffffffaa".repeat(2));
});

test("cuts messages and repeats extended timestamps", () => {
  const { writer, wire } = newWriter();
  writer.chunkBytes = 3;
  writer.write(6, 9, 1, 0x1234567, Uint8Array.of(1, 2, 3, 4, 5, 6, 7));
  assert.equal(wire(), `06ffffff0000070901000000${"01234567"}010203${"c601234567"}040506${"c601234567"}07`);
  writer.write(6, 9, 1, 0x1234568, Uint8Array.of(1, 2, 3, 4), true);
  assert.equal(wire(), "4600000100000409010203c604");
});

test("a message without room is not begun", () => {
  const { writer, wire, outbox } = newWriter(20);
  assert.equal(writer.write(3, 20, 0, 0, new Uint8Array(8)), true);
  assert.equal(writer.write(3, 20, 0, 0, new Uint8Array(8)), false);
  assert.equal(outbox.length, 20);
  wire();
  assert.equal(writer.write(3, 20, 0, 0, new Uint8Array(0)), true);
  assert.equal(wire(), "030000000000001400000000");
});

test("the reader reads what the writer wrote, whatever it was", () => {
  const seed = 0xc4a2;
  const random = new Prng(seed);
  for (let round = 0; round < 200; round++) {
    const { writer, outbox, take } = newWriter(1 << 22);
    writer.chunkBytes = 1 + random.below(300);
    const reader = new ChunkReader(defaultLimits, newStats());
    reader.chunkBytes = writer.chunkBytes;
    const sent: unknown[] = [];
    let timestamp = random.chance(0.5) ? random.u32() : random.below(1000);
    for (let i = 0; i < 20; i++) {
      const step = random.chance(0.5) ? 20 : random.below(random.chance(0.1) ? 2 ** 31 : 100);
      timestamp = (timestamp + step) >>> 0;
      const payload = random.fill(new Uint8Array(random.chance(0.5) ? 50 : random.below(1000)));
      const [id, type, streamId] = [3 + random.below(3), 8 + random.below(2), 1 + random.below(2)];
      assert.ok(writer.write(id, type, streamId, timestamp, payload, random.chance(0.8)));
      sent.push({ type, timestamp, streamId, payload });
    }
    const bytes = take();
    assert.equal(outbox.length, 0);
    const received: unknown[] = [];
    for (let at = 0; at < bytes.length; ) {
      at = reader.read(bytes, at, Math.min(bytes.length, at + 1 + random.below(500)));
      assert.equal(reader.failure, undefined, `seed ${seed}, round ${round}`);
      const message = reader.take();
      if (message !== undefined) received.push(message);
    }
    assert.deepEqual(received, sent, `seed ${seed}, round ${round}`);
  }
});

function newWriter(outboxBytesMax = 4096) {
  const outbox = new ByteQueue(outboxBytesMax);
  const take = () => {
    const bytes = new Uint8Array(outbox.length);
    outbox.consume(outbox.peek(bytes, 0, bytes.length));
    return bytes;
  };
  return { writer: new ChunkWriter(outbox), outbox, take, wire: () => Buffer.from(take()).toString("hex") };
}
