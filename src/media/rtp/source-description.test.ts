import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../base/prng.ts";
import { CNAME, MID, NAME, SourceDescription, SourceDescriptionWriter } from "./source-description.ts";
import { hexOf, opened, written } from "./testing/packet.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** "ssrc type:text" of each item; undefined when refused. */
function items(packet: Uint8Array | string): string[] | undefined {
  const rtcp = opened(packet);
  const description = new SourceDescription();
  if (!description.read(rtcp)) {
    assert.equal(rtcp.stats.damagedBodies, 1);
    return undefined;
  }
  const found: string[] = [];
  while (description.next(rtcp))
    found.push(
      `${description.ssrc} ${description.type}:${Buffer.from(rtcp.bytes.subarray(description.textStart, description.textEnd)).toString()}`,
    );
  assert.ok(!description.next(rtcp));
  return found;
}

test("golden bytes both ways: two sources, END fills one to four bytes", () => {
  const golden = "82ca0006 00000001 01026162 0201c3 00 00000002 010161 0f0130 0000".replaceAll(" ", "");
  assert.deepEqual(items(golden), ["1 1:ab", "1 2:\ufffd", "2 1:a", "2 15:0"]);
  const writer = new SourceDescriptionWriter();
  const bytes = written((view, at, limit) => {
    writer.begin(view, at, limit);
    writer.chunk(1);
    writer.item(CNAME, text("ab"));
    writer.item(NAME, Uint8Array.of(0xc3));
    writer.chunk(2);
    writer.item(CNAME, text("a"));
    writer.item(MID, text("0"));
    return writer.finish();
  });
  assert.equal(hexOf(bytes), golden);
});

test("sources without items, items without text, no sources at all", () => {
  assert.deepEqual(items("83ca0007 00000001 00000000 00000002 0100 0000 00000003 0100 0f00 00000000"), ["2 1:", "3 1:", "3 15:"]);
  assert.deepEqual(items("80ca0000"), []);
});

test("chunks without END, items that reach beyond, sources that are missing are damage", () => {
  for (const damaged of [
    "81ca0002 00000001 01026162",
    "81ca0002 00000001 01096162",
    "81ca0002 00000001 01016101",
    "82ca0002 00000001 01016100",
    "81ca0001 00000001",
    "81ca0000",
  ])
    assert.equal(items(damaged), undefined, damaged);
});

test("random descriptions come back; what does not fit is not written", () => {
  const prng = new Prng(4);
  const writer = new SourceDescriptionWriter();
  for (let round = 0; round < 300; round++) {
    const expected: string[] = [];
    const chunks = Array.from({ length: prng.below(32) }, () => ({
      ssrc: prng.u32(),
      items: Array.from({ length: prng.below(4) }, () => ({
        type: 1 + prng.below(255),
        text: "x".repeat(prng.below(prng.chance(0.05) ? 256 : 12)),
      })),
    }));
    const write = (view: DataView, at: number, limit: number): number => {
      writer.begin(view, at, limit);
      for (const chunk of chunks) {
        writer.chunk(chunk.ssrc);
        for (const item of chunk.items) writer.item(item.type, text(item.text));
      }
      return writer.finish();
    };
    for (const chunk of chunks) for (const item of chunk.items) expected.push(`${chunk.ssrc} ${item.type}:${item.text}`);
    const bytes = written(write, 20_000);
    assert.deepEqual(items(bytes), expected);
    assert.equal(written(write, bytes.length).length, bytes.length);
    assert.equal(written(write, bytes.length - 1).length, 0);
  }
});
