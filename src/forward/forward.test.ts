import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "../base/errors.ts";
import { entryOf, type Forward, parseForward } from "./forward.ts";
import { formatIpRange, parseIpRange } from "./ip-range.ts";
import { formatBackend, formatListen } from "./listen.ts";

const least = { name: "a", listen: "192.0.2.1:5000", to: ["10.0.0.1:6000"] };

test("ranges of addresses: single, first-last, prefix, both families; anything else is none", () => {
  for (const [text, first, last] of [
    ["192.0.2.1", 0xc0000201n, 0xc0000201n],
    ["255.255.255.255", 0xffffffffn, 0xffffffffn],
    ["192.0.2.1-192.0.2.9", 0xc0000201n, 0xc0000209n],
    ["10.0.0.0/8", 0x0a000000n, 0x0affffffn],
    ["0.0.0.0/0", 0n, 0xffffffffn],
    ["2001:db8::/126", 0x20010db8_00000000_00000000_00000000n, 0x20010db8_00000000_00000000_00000003n],
    ["::1-::3", 1n, 3n],
  ] as const) {
    const range = parseIpRange(text);
    assert.deepEqual([range?.first, range?.last], [first, last], text);
    assert.deepEqual(parseIpRange(formatIpRange(range!)), range, text);
  }
  for (const text of ["", "a", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.9-10.0.0.1", "10.0.0.1-::1", "fe80::1%eth0", "10.0.0.1-", "10.0.0.0/"])
    assert.equal(parseIpRange(text), undefined, text);
});

test("what is written comes back: defaults left out, weights, kept ports, both families", () => {
  for (const entry of [
    least,
    { name: "b", listen: "192.0.2.1-192.0.2.4:5000-5999", to: ["10.0.0.1@3", "10.0.0.2@0"], source: ["192.0.2.9"], idle: 30 },
    { name: "c", listen: "[2001:db8::1]:5000", to: ["[2001:db8::2]:6000", "2001:db8::3"], deny: ["2001:db8:1::/48"], enabled: false },
  ]) {
    const forward = parseForward(entry, "forwards[0]");
    assert.deepEqual(entryOf(forward), entry);
    assert.equal(parseForward(entryOf(forward), "").text, forward.text);
  }
  const { backends, listen } = parseForward({ ...least, listen: "[2001:db8::1]:5000-5009", to: ["[2001:db8::2]:6000@7"] }, "");
  assert.equal(formatListen(listen), "[2001:db8::1]:5000-5009");
  assert.deepEqual([formatBackend(backends[0]!), backends[0]!.weight], ["[2001:db8::2]:6000", 7]);
});

test("a file's booleans and single texts are taken", () => {
  const forward: Forward = parseForward({ ...least, to: "10.0.0.1", draining: true, allow: "10.0.0.0/8" }, "");
  assert.equal(forward.state, "draining");
  assert.equal(forward.backends[0]!.port, undefined);
  assert.equal(forward.allow.length, 1);
});

test("what is wrong is said in one sentence with forward, key, what was given and what is allowed", () => {
  for (const [change, pattern] of [
    [{ listen: "192.0.2.1" }, /^a: listen: "192.0.2.1" is not allowed; give where datagrams come in/],
    [{ listen: "0.0.0.0:5000" }, /listen: "0.0.0.0:5000"/],
    [{ listen: "192.0.2.1:0" }, /listen/],
    [{ listen: "192.0.2.1:9-8" }, /listen/],
    [{ to: [] }, /^a: to: \[\] is not allowed; give backends/],
    [{ to: ["10.0.0.1:1@1001"] }, /to: "10.0.0.1:1@1001"/],
    [{ to: ["10.0.0.1:1-2"] }, /to: /],
    [{ to: ["[2001:db8::1]:1"] }, /listen is IPv4, and so must be its backends/],
    [{ to: ["10.0.0.1:1", "10.0.0.1:1@2"] }, /"10.0.0.1:1" is given twice/],
    [{ source: ["auto", "192.0.2.1"] }, /source: "auto"/],
    [{ source: ["2001:db8::1"] }, /source: "2001:db8::1"/],
    [{ sourceports: "1-70000" }, /sourceports/],
    [{ idle: 0 }, /^a: idle: 0 is not allowed; give seconds/],
    [{ packetlimit: -1 }, /packetlimit/],
    [{ name: "a b" }, /name: "a b"/],
    [{ colour: 1 }, /"colour" is not known/],
    [{ checkpayload: "abc" }, /checkpayload/],
    [{ balance: "round" }, /balance/],
  ] as const) {
    assert.throws(
      () => parseForward({ ...least, ...change }, "forwards[0]"),
      (error) => error instanceof ConfigError && pattern.test(error.message),
      JSON.stringify(change),
    );
  }
  assert.throws(() => parseForward(7, "forwards[3]"), /^ConfigError: forwards\[3\]: not a forward/);
});

test("what most forwards have alike is there once", () => {
  const [one, other] = ["one", "other"].map((name) => parseForward({ name, listen: "192.0.2.1:1", to: ["10.0.0.1"] }, ""));
  for (const key of ["limits", "allow", "deny"] as const) assert.equal(one![key], other![key], key);
  const limited = parseForward({ name: "limited", listen: "192.0.2.1:1", to: ["10.0.0.1"], packetlimit: 5 }, "");
  assert.deepEqual(limited.limits, { packets: 5, bytes: 0, sourcePackets: 0, sourceBytes: 0 });
});
