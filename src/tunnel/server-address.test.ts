import assert from "node:assert/strict";
import { test } from "node:test";
import { parseServer } from "./server-address.ts";

test("an interface or an address to leave from stands behind the port", () => {
  assert.deepEqual(parseServer("path", "far.example:29900"), { host: "far.example", least: 29900, most: 29900 });
  assert.deepEqual(parseServer("path", "192.0.2.1:1-9%eth1"), { host: "192.0.2.1", least: 1, most: 9, departure: { device: "eth1" } });
  assert.deepEqual(parseServer("path", "[2001:db8::1]:7%2001:db8::2").departure, { host: "2001:db8::2" });
  assert.deepEqual(parseServer("path", "[fe80::1%eth0]:7"), { host: "fe80::1%eth0", least: 7, most: 7 });
});

test("what is none is refused in one sentence that names the option", () => {
  const refused = (text: string, sentence: RegExp): void => assert.throws(() => parseServer("path", text), sentence);
  refused(
    "192.0.2.1:7%",
    /^ConfigError: --path: "192\.0\.2\.1:7%" is not allowed; give %INTERFACE or %ADDRESS of this machine behind the port/,
  );
  refused("192.0.2.1:7%an/interface", /give %INTERFACE or %ADDRESS/);
  refused("192.0.2.1:7%a-name-that-is-too-long", /give %INTERFACE or %ADDRESS/);
  refused("192.0.2.1:7%2001:db8::2", /same family/);
  refused("192.0.2.1%eth1", /is not an address/);
});
