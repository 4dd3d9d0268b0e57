import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "../base/errors.ts";
import { parseEndpoint, parseHostPort, parsePortRange } from "./address.ts";

test("addresses as kcptun writes them", () => {
  assert.deepEqual(parseHostPort("listen", ":29900"), { host: "::", port: 29900 });
  assert.deepEqual(parseHostPort("remoteaddr", "vps:29900"), { host: "vps", port: 29900 });
  assert.deepEqual(parseHostPort("remoteaddr", "[2001:db8::1]:53"), { host: "2001:db8::1", port: 53 });
  assert.deepEqual(parseEndpoint("target", "/run/app.sock"), { path: "/run/app.sock" });
  assert.deepEqual(parseEndpoint("target", "app.sock"), { path: "app.sock" });
  assert.deepEqual(parseHostPort("listen", ":0", 0), { host: "::", port: 0 });
});

test("anything else is refused in one sentence that names the option", () => {
  for (const text of ["", "vps", "vps:", "vps:0", "vps:65536", "2001:db8::1:53", "vps:1:2", "vps:x"]) {
    assert.throws(
      () => parseHostPort("remoteaddr", text),
      (error) => error instanceof ConfigError && error.message.startsWith(`--remoteaddr: "${text}"`),
    );
  }
});

test("ranges of ports as kcptun takes and refuses them", () => {
  assert.deepEqual(parsePortRange("listen", "h:2000"), { host: "h", least: 2000, most: 2000 });
  assert.deepEqual(parsePortRange("listen", "h:2000-2005"), { host: "h", least: 2000, most: 2005 });
  assert.deepEqual(parsePortRange("listen", ":1-65535"), { host: "::", least: 1, most: 65_535 });
  assert.deepEqual(parsePortRange("listen", "[2001:db8::1]:7-9"), { host: "2001:db8::1", least: 7, most: 9 });
  for (const text of ["h", "h:0", "h:70000", "h:3000-2000", "h:65534-70000", "h:0-5", "h:1-2-3"]) {
    assert.throws(() => parsePortRange("listen", text), ConfigError, text);
  }
});
