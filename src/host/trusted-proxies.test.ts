import assert from "node:assert/strict";
import { test } from "node:test";
import { clientAddresses } from "./trusted-proxies.ts";

test("what is said is believed for as long as who said it is trusted", () => {
  const rows: readonly [trusted: string, peer: string, forwarded: string | undefined, expected: string][] = [
    ["", "192.0.2.1", "198.51.100.1", "192.0.2.1"],
    ["", "::ffff:192.0.2.1", undefined, "192.0.2.1"],
    ["127.0.0.1", "127.0.0.1", "198.51.100.1", "198.51.100.1"],
    ["127.0.0.1", "::ffff:127.0.0.1", "198.51.100.1", "198.51.100.1"],
    ["127.0.0.1", "127.0.0.1", undefined, "127.0.0.1"],
    // Somebody else's word in front of what our proxy saw.
    ["127.0.0.1", "127.0.0.1", "10.0.0.1, 198.51.100.1", "198.51.100.1"],
    ["127.0.0.1", "192.0.2.1", "198.51.100.1", "192.0.2.1"],
    ["127.0.0.1, 10.0.0.0/8", "127.0.0.1", "198.51.100.1, 10.1.2.3", "198.51.100.1"],
    ["10.0.0.0/8,2001:db8::/32", "2001:db8::5", "[2001:db9::1]:443, 10.1.2.3:8080", "2001:db9::1"],
    ["127.0.0.1", "127.0.0.1", "unknown", "127.0.0.1"],
    ["127.0.0.1", "127.0.0.1", "198.51.100.1, _hidden", "127.0.0.1"],
  ];
  for (const [trusted, peer, forwarded, expected] of rows)
    assert.equal(clientAddresses("proxies", trusted)(peer, forwarded), expected, `${trusted} | ${peer} | ${forwarded}`);
});

test("what is no address or prefix is refused with a sentence", () => {
  for (const list of ["example.org", "10.0.0.0/33", "10.0.0.0/8/8", "10.0.0.1,", "::1/129", "10.0.0.0/x"])
    assert.throws(() => clientAddresses("proxies", list), { message: /--proxies: ".*" is not an address or a prefix/ }, list);
});
