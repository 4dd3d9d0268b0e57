import assert from "node:assert/strict";
import { test } from "node:test";
import { HostError } from "../base/errors.ts";
import { dualStack } from "./dual-stack.ts";

const without6 = (host: string): string => {
  if (host.includes(":")) throw new HostError("EAFNOSUPPORT", "socket", host);
  return host;
};

test("all addresses are those of IPv4 where there is no IPv6", () => {
  assert.equal(
    dualStack("::", (host) => host),
    "::",
  );
  assert.equal(dualStack("::", without6), "0.0.0.0");
});

test("an IPv6 address that was asked for is never replaced, nor is another failure hidden", () => {
  assert.throws(() => dualStack("::1", without6), HostError);
  assert.throws(
    () =>
      dualStack("::", () => {
        throw new HostError("EADDRINUSE", "bind", "::");
      }),
    (error) => error instanceof HostError && error.code === "EADDRINUSE",
  );
});
