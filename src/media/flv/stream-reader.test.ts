import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Prng } from "../../base/prng.ts";
import { FlvStreamReader } from "./stream-reader.ts";
import { FlvReader, firstTag } from "./tag.ts";

const file = new Uint8Array(readFileSync(new URL("../../../assets/demo.flv", import.meta.url)));

test("a file in pieces of any length has the tags of the whole file", () => {
  const whole = new FlvReader(file, firstTag(file));
  const expected: string[] = [];
  while (whole.next()) expected.push(`${whole.type} ${whole.timestamp} ${whole.end - whole.start} ${file[whole.end - 1]}`);
  const prng = new Prng(5);
  for (const most of [40, 3000, file.length]) {
    const seen: string[] = [];
    const reader = new FlvStreamReader((type, timestamp, payload) => seen.push(`${type} ${timestamp} ${payload.length} ${payload.at(-1)}`));
    for (let at = 0; at < file.length; ) {
      const end = Math.min(file.length, at + 1 + prng.below(most));
      reader.receive(file.subarray(at, end));
      at = end;
    }
    assert.deepEqual(seen, expected);
    assert.equal(reader.damaged, false);
  }
});

test("what is no FLV, and a tag that is too long, end it", () => {
  const none = new FlvStreamReader(() => assert.fail());
  none.receive(new Uint8Array(100));
  assert.ok(none.damaged);
  const small = new FlvStreamReader(() => {}, 1000);
  small.receive(file);
  assert.ok(small.damaged);
});
