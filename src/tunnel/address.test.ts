import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "../base/errors.ts";
import { parseEndpoint, parseHostPort } from "./address.ts";

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
