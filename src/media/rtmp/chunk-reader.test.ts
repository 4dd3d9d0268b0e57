import assert from "node:assert/strict";
import { test } from "node:test";
import { ChunkReader } from "./chunk-reader.ts";
import { defaultLimits, newStats, type RtmpLimits, type RtmpStats } from "./limits.ts";

type Read = readonly [type: number, timestamp: number, streamId: number, payload: string];

/** Headers in hex; "12*aa" is twelve bytes of aa. */
const wires: readonly (readonly [string, string, readonly Read[]])[] = [
  [
    // Adobe RTMP 1.0 section 5.3.2.1: audio every 20 ms.
    "fmt 0, 2, 3 and 3: the delta repeats",
    "03 0003e8 000020 08 39300000 32*01 | 83 000014 32*02 | c3 32*03 | c3 32*04",
    [
      [8, 1000, 12345, "32*01"],
      [8, 1020, 12345, "32*02"],
      [8, 1040, 12345, "32*03"],
      [8, 1060, 12345, "32*04"],
    ],
  ],
  [
    // Section 5.3.2.2: a message of 307 bytes in chunks of 128.
    "one message in three chunks",
    "04 0003e8 000133 09 3a300000 128*0a | c4 128*0a | c4 51*0a",
    [[9, 1000, 12346, "307*0a"]],
  ],
  [
    "fmt 1 changes length and type",
    "04 000000 000001 09 01000000 aa | 44 000021 000002 08 bbcc",
    [
      [9, 0, 1, "1*aa"],
      [8, 33, 1, "1*bb 1*cc"],
    ],
  ],
  ["a stream that begins with fmt 1", "42 000000 000006 04 000600000007", [[4, 0, 0, "000600000007"]]],
  [
    "chunk stream ids of two and three bytes",
    "00 3f 000005 000001 08 01000000 aa | 01 0201 000006 000001 08 01000000 bb | c0 3f cc",
    [
      [8, 5, 1, "1*aa"],
      [8, 6, 1, "1*bb"],
      [8, 10, 1, "1*cc"],
    ],
  ],
  [
    "two messages interleaved",
    "04 000000 000081 09 01000000 128*aa | 06 000000 000001 08 01000000 bb | c4 aa",
    [
      [8, 0, 1, "1*bb"],
      [9, 0, 1, "129*aa"],
    ],
  ],
  [
    "extended timestamps, on fmt 3 too",
    "04 ffffff 000081 09 01000000 01000000 128*aa | c4 01000000 aa | 84 ffffff 01000001 128*bb | c4 01000001 bb",
    [
      [9, 0x1000000, 1, "129*aa"],
      [9, 0x2000001, 1, "129*bb"],
    ],
  ],
  [
    "timestamps wrap",
    "04 ffffff 000001 09 01000000 fffffff0 aa | 84 000020 bb",
    [
      [9, 0xfffffff0, 1, "1*aa"],
      [9, 0x10, 1, "1*bb"],
    ],
  ],
  [
    "empty messages",
    "04 000000 000000 08 01000000 | c4 | c4",
    [
      [8, 0, 1, ""],
      [8, 0, 1, ""],
      [8, 0, 1, ""],
    ],
  ],
];

for (const [name, wire, expected] of wires) {
  for (const piece of [1, 3, 17, 4096]) {
    test(`${name}, ${piece} bytes at a time`, () => {
      const { reader, read } = newReader();
      assert.deepEqual(
        read(expand(wire), piece),
        expected.map(([type, timestamp, streamId, payload]) => [type, timestamp, streamId, hex(expand(payload))]),
      );
      assert.equal(reader.failure, undefined);
      assert.equal(reader.assemblyBytes, 0);
    });
  }
}

test("a larger chunk size holds from the next chunk on", () => {
  const { reader, read } = newReader();
  reader.chunkBytes = 1000;
  assert.equal(read(expand("04 000000 0003e8 09 01000000 1000*aa"), 77).length, 1);
});

test("an aborted message is forgotten with its memory", () => {
  const { reader, read, stats } = newReader();
  read(expand("04 000000 000100 09 01000000 128*aa"), 4096);
  assert.equal(reader.assemblyBytes, 256);
  reader.abort(4);
  reader.abort(5);
  assert.deepEqual([reader.assemblyBytes, stats.aborted], [0, 1]);
  assert.equal(read(expand("44 000001 000001 08 bb"), 4096).length, 1);
});

const failures: readonly (readonly [string, string, string, Partial<RtmpLimits>, keyof RtmpStats | undefined])[] = [
  ["a stream that begins with fmt 3", "c4", "rtmp.chunk.header", {}, undefined],
  ["a stream that begins with fmt 2", "84 000000", "rtmp.chunk.header", {}, undefined],
  ["a message inside another", "04 000000 000100 09 01000000 128*aa 04 000000 000100 09 01000000", "rtmp.chunk.header", {}, undefined],
  ["a message too long", "04 000000 000100 09 01000000", "rtmp.chunk.length", { messageBytesMax: 255 }, "messageLimitHits"],
  [
    "too many chunk streams",
    "04 000000 000000 09 01000000 05 000000 000000 09 01000000 06 000000 000000 09 01000000",
    "rtmp.chunk.streams",
    { chunkStreamsMax: 2 },
    "chunkStreamLimitHits",
  ],
  [
    "too much unfinished",
    "04 000000 000100 09 01000000 128*aa 05 000000 000100 09 01000000 128*aa",
    "rtmp.chunk.assembly",
    { assemblyBytesMax: 511 },
    "assemblyLimitHits",
  ],
];

for (const [name, wire, code, limits, counter] of failures) {
  test(`fails: ${name}`, () => {
    const { reader, read, stats } = newReader(limits);
    read(expand(wire), 4096);
    assert.equal(reader.failure?.code, code);
    if (counter !== undefined) assert.equal(stats[counter], 1);
    assert.equal(read(expand("04 000000 000001 09 01000000 aa"), 4096).length, 0, "nothing is read any more");
  });
}

test("memory grows with what arrives, not with what is announced", () => {
  const { reader, read } = newReader();
  for (let id = 3; id < 63; id++) read(expand(`${id.toString(16).padStart(2, "0")} 000000 7fffff 09 01000000 128*aa`), 4096);
  assert.equal(reader.failure, undefined);
  assert.equal(reader.assemblyBytes, 60 * 65_536);
});

function newReader(limits: Partial<RtmpLimits> = {}) {
  const stats = newStats();
  const reader = new ChunkReader({ ...defaultLimits, ...limits }, stats);
  const read = (bytes: Uint8Array, piece: number) => {
    const messages: (readonly [number, number, number, string])[] = [];
    for (let start = 0; start < bytes.length; start += piece) {
      // The piece is a copy that is overwritten, as a socket's buffer would be.
      const borrowed = bytes.slice(start, start + piece);
      for (let at = 0; at < borrowed.length && reader.failure === undefined; ) {
        at = reader.read(borrowed, at, borrowed.length);
        const message = reader.take();
        if (message !== undefined) messages.push([message.type, message.timestamp, message.streamId, hex(message.payload)]);
      }
      borrowed.fill(0xee);
    }
    return messages;
  };
  return { reader, read, stats };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function expand(wire: string): Uint8Array {
  const text = wire.replace(/(\d+)\*([0-9a-f]{2})/g, (_, count, byte) => String(byte).repeat(Number(count))).replace(/[ |]/g, "");
  return Uint8Array.from(Buffer.from(text, "hex"));
}
