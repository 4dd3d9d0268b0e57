import assert from "node:assert/strict";
import { test } from "node:test";
import { readVector, vectorsMissing } from "../../test/vectors/read.ts";
import { FecEncoder, type FecEncoderOptions } from "./encoder.ts";

interface Step {
  readonly kcp_packet: string;
  readonly data_out: string;
  readonly parity_out?: readonly string[];
}
interface Framing {
  readonly encoders: readonly {
    readonly data: number;
    readonly parity: number;
    readonly header_offset: number;
    readonly steps: readonly Step[];
  }[];
  readonly wrap_3_2_start_at_paws_minus_5: readonly { readonly data_hdr: string; readonly parity_hdr6: readonly string[] | null }[];
}

const hexOf = (bytes: Uint8Array, start: number, end: number): string => Buffer.from(bytes.subarray(start, end)).toString("hex");

/** An encoder with a buffer around it. */
class Sender {
  readonly encoder: FecEncoder;
  readonly bytes = new Uint8Array(4096);
  readonly view = new DataView(this.bytes.buffer);

  constructor(options: Partial<FecEncoderOptions> = {}) {
    this.encoder = new FecEncoder({ dataShards: 3, parityShards: 2, profile: "2026", packetBytesMax: 1500, ...options });
  }

  /** The data packet and its parity packets, in hex. */
  send(now: number, packet: Uint8Array, headroom = 0): { data: string; parity: string[] } {
    const start = headroom + 8;
    this.bytes.set(packet, start);
    const ready = this.encoder.encode(now, this.bytes, this.view, start, start + packet.length);
    const data = hexOf(this.bytes, headroom, start + packet.length);
    const parity = Array.from({ length: ready }, (_, i) => {
      const length = this.encoder.parity(i, this.bytes, this.view, 2001);
      return hexOf(this.bytes, 2001, 2001 + length);
    });
    return { data, parity };
  }
}

const seqidOf = (packet: string): number => Buffer.from(packet, "hex").readUInt32LE(0);

for (const profile of ["2021", "2026"] as const) {
  test(`${profile}: the recorded packets`, { skip: vectorsMissing }, () => {
    const { encoders } = readVector<Framing>("kcptun/kat/fec_framing.json");
    for (const { data: dataShards, parity: parityShards, header_offset, steps } of encoders) {
      const sender = new Sender({ dataShards, parityShards, profile });
      for (const { kcp_packet, data_out, parity_out } of steps) {
        const { data, parity } = sender.send(0, Buffer.from(kcp_packet, "hex"), header_offset);
        assert.equal(data, data_out.slice(header_offset * 2));
        assert.deepEqual(
          parity,
          (parity_out ?? []).map((packet) => packet.slice(header_offset * 2)),
        );
      }
    }
  });
}

test("the recorded numbers around the wrap", { skip: vectorsMissing }, () => {
  const { wrap_3_2_start_at_paws_minus_5: steps } = readVector<Framing>("kcptun/kat/fec_framing.json");
  const sender = new Sender({ firstSeqid: 4294967295 - 5 });
  for (const { data_hdr, parity_hdr6 } of steps) {
    const { data, parity } = sender.send(0, new Uint8Array(30));
    assert.equal(data.slice(0, 16), data_hdr);
    assert.deepEqual(
      parity.map((packet) => packet.slice(0, 12)),
      parity_hdr6 ?? [],
    );
  }
});

test("2026 withholds parity behind a gap of 500 ms and skips its numbers; 2021 does not", () => {
  const packet = new Uint8Array(30);
  for (const profile of ["2026", "2021"] as const) {
    const sender = new Sender({ profile });
    sender.send(0, packet);
    sender.send(10, packet);
    assert.equal(sender.send(510, packet).parity.length, profile === "2026" ? 0 : 2);
    assert.equal(seqidOf(sender.send(511, packet).data), 5);
    sender.send(1200, packet);
    assert.equal(sender.send(1699, packet).parity.length, 2);
    assert.equal(sender.encoder.stats.sparseGroups, profile === "2026" ? 1 : 0);
  }
});

test("other group sizes begin at a multiple of the new group", () => {
  const sender = new Sender();
  const packet = new Uint8Array(30);
  for (let i = 0; i < 4; i++) sender.send(0, packet);
  sender.encoder.reshape(4, 3);
  assert.equal(seqidOf(sender.send(0, packet).data), 7);
  for (let i = 0; i < 2; i++) assert.equal(sender.send(0, packet).parity.length, 0);
  assert.deepEqual(sender.send(0, packet).parity.map(seqidOf), [11, 12, 13]);
  assert.equal(seqidOf(sender.send(0, packet).data), 14);
});

test("a group that is left gets no parity, and the next begins at its own numbers", () => {
  const sender = new Sender();
  const packet = new Uint8Array(30);
  sender.send(0, packet);
  assert.ok(sender.encoder.first);
  sender.encoder.leave();
  assert.ok(!sender.encoder.first);
  assert.deepEqual([seqidOf(sender.send(0, packet).data), sender.send(0, packet).parity.length], [5, 0]);
  assert.deepEqual(sender.send(0, packet).parity.map(seqidOf), [8, 9]);
});

test("group sizes that the field cannot hold and packets that are too long are bugs", () => {
  assert.throws(() => new Sender({ dataShards: 200, parityShards: 57 }), /group sizes/);
  assert.throws(() => new Sender({ dataShards: 0 }), /group sizes/);
  assert.throws(() => new Sender().send(0, new Uint8Array(1493)), /longer/);
  assert.equal(new Sender().send(0, new Uint8Array(1492)).data.length, 3000);
});
