import assert from "node:assert/strict";
import { test } from "node:test";
import { HostError } from "../base/errors.ts";
import { AddressTable } from "./address.ts";
import { Block } from "./block.ts";
import { AF_INET, AF_INET6 } from "./linux-abi.ts";
import { familyOf, keyFromSockaddr, readSockaddr, SOCKADDR_BYTES, sockaddrFromRecord, writeSockaddr } from "./sockaddr.ts";
import type { Sys } from "./sys.ts";

/** The layout does not depend on where the memory lies. */
const nowhere = { addressOf: () => 0 } as unknown as Sys;

test("sockaddr_in and sockaddr_in6 are laid out as the kernel has them", () => {
  const block = new Block(nowhere, SOCKADDR_BYTES);
  assert.equal(writeSockaddr(block, { host: "192.0.2.1", port: 0x1234 }), 16);
  assert.equal(Buffer.from(block.bytes.subarray(0, 16)).toString("hex"), "02001234c00002010000000000000000");
  assert.deepEqual(readSockaddr(block), { host: "192.0.2.1", port: 0x1234 });
  assert.equal(writeSockaddr(block, { host: "2001:db8::1%5", port: 80 }), 28);
  assert.equal(
    Buffer.from(block.bytes.subarray(0, 28)).toString("hex"),
    `0a000050${"00000000"}${"20010db8000000000000000000000001"}${"05000000"}`,
  );
  assert.deepEqual(readSockaddr(block), { host: "2001:db8::1%5", port: 80 });
});

test("a path has its bytes and a zero behind them, and a longest length", () => {
  const block = new Block(nowhere, SOCKADDR_BYTES);
  assert.equal(writeSockaddr(block, { path: "/run/ä" }), 2 + 7 + 1);
  assert.equal(Buffer.from(block.bytes.subarray(0, 10)).toString("hex"), "01002f72756e2fc3a400");
  const refused = (code: string) => (error: unknown) => error instanceof HostError && error.code === code;
  assert.throws(() => writeSockaddr(block, { path: "x".repeat(108) }), refused("ENAMETOOLONG"));
  assert.throws(() => familyOf({ host: "localhost", port: 1 }), refused("EINVAL"));
});

test("a record of the table and a sockaddr say the same", () => {
  const table = new AddressTable();
  const block = new Block(nowhere, 256);
  for (const [host, family] of [
    ["192.0.2.77", AF_INET],
    ["192.0.2.77", AF_INET6],
    ["2001:db8::77", AF_INET6],
  ] as const) {
    const id = table.intern(host, 54_321);
    const length = sockaddrFromRecord(block.words, 8, family, table.words, id);
    assert.equal(length, family === AF_INET ? 16 : 28);
    table.key.fill(0);
    keyFromSockaddr(block.words, 8, table.key);
    assert.equal(table.internKey(), id);
  }
});
