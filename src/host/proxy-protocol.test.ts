import assert from "node:assert/strict";
import { test } from "node:test";
import { proxyHeader } from "./proxy-protocol.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const signature = "0d0a0d0a000d0a515549540a21";

test("IPv4, also when the address that was asked is not known", () => {
  const source = { host: "203.0.113.7", port: 4711 };
  assert.equal(hex(proxyHeader(source, { host: "198.51.100.1", port: 29_900 })), `${signature}11000ccb007107c6336401126774cc`);
  assert.equal(hex(proxyHeader(source, { host: "::", port: 29_900 })), `${signature}11000ccb00710700000000126774cc`);
});

test("IPv6", () => {
  const header = hex(proxyHeader({ host: "2001:db8::7", port: 1 }, { host: "2001:db8::1", port: 2 }));
  assert.equal(header, `${signature}21002420010db800000000000000000000000720010db800000000000000000000000100010002`);
});

test("an address that is none is not known", () => {
  assert.equal(hex(proxyHeader({ host: "somewhere", port: 1 }, { host: "::", port: 2 })), `${signature}000000`);
});
