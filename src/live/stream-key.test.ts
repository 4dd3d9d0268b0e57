import assert from "node:assert/strict";
import { test } from "node:test";
import { liveConfig } from "./config.ts";
import { StreamKeys } from "./stream-key.ts";

test("a key finds its channel, anything else finds none", () => {
  const keys = new StreamKeys({ one: "key-one-1", two: "key-two-2" });
  assert.equal(keys.channel("key-one-1"), "one");
  assert.equal(keys.channel("key-two-2"), "two");
  for (const key of ["", "key-one-", "key-one-1 ", "key-one-1key-one-1", "KEY-ONE-1", "key-one-2", "one"])
    assert.equal(keys.channel(key), undefined, key);
  assert.equal(new StreamKeys({}).channel(""), undefined);
});

test("the configuration has defaults for all, and refuses what cannot work by name", () => {
  const { channels, part } = liveConfig.parse({ channels: { demo: "demo-key-1" }, part: "100" });
  assert.deepEqual([channels, part], [{ demo: "demo-key-1" }, 100]);
  const refused = (input: object): string =>
    liveConfig
      .safeParse(input)
      .error?.issues.map(({ path }) => path.join("."))
      .join() ?? "";
  assert.equal(refused({ part: 20 }), "part");
  assert.equal(refused({ channels: { "a b": "demo-key-1" } }), "channels.a b");
  assert.equal(refused({ channels: { demo: "short" } }), "channels.demo");
  assert.equal(refused({ channels: { a: "same-key-1", b: "same-key-1" } }), "channels");
});
