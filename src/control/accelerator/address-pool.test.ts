import assert from "node:assert/strict";
import { test } from "node:test";
import { AddressPool } from "./address-pool.ts";
import { addressAt, contains, formatCidr, numberOf, overlap, parseCidr } from "./cidr.ts";

const cidr = (text: string) => parseCidr(text)!;

test("networks: what is one, what lies in it, what overlaps", () => {
  for (const wrong of ["", "10.0.0.1/24", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "fe80::1%1/128", "a/24", "2001:db8::1/64"])
    assert.equal(parseCidr(wrong), undefined, wrong);
  for (const text of ["10.0.0.0/8", "10.0.0.1/32", "0.0.0.0/0", "2001:db8::/32", "2001:db8::1/128"])
    assert.equal(formatCidr(cidr(text)), text);
  assert.equal(formatCidr(cidr("10.0.0.1")), "10.0.0.1/32");
  assert.ok(contains(cidr("10.0.0.0/30"), "10.0.0.3") && !contains(cidr("10.0.0.0/30"), "10.0.0.4") && !contains(cidr("::/0"), "10.0.0.3"));
  assert.ok(overlap(cidr("10.0.0.0/8"), cidr("10.9.0.0/16")) && !overlap(cidr("10.0.0.0/9"), cidr("10.128.0.0/9")));
  assert.equal(addressAt(4, numberOf("203.0.113.255") + 1n), "203.0.114.0");
  assert.equal(addressAt(6, numberOf("2001:db8::ffff") + 1n), "2001:db8::1:0");
});

test("two addresses come from two zones, and from one when the other has none left", () => {
  const one = new AddressPool([cidr("192.0.2.0/30")]);
  assert.deepEqual(one.free(4, 2, new Set()), ["192.0.2.1", "192.0.2.3"]);
  const two = new AddressPool(["192.0.2.1", "198.51.100.0/24"].map(cidr));
  assert.deepEqual(two.free(4, 2, new Set()), ["192.0.2.1", "198.51.100.1"]);
  assert.deepEqual(two.free(4, 2, new Set(["192.0.2.1", "198.51.100.1"])), ["198.51.100.2", "198.51.100.3"]);
  assert.deepEqual(two.free(6, 2, new Set()), []);
  const single = new AddressPool([cidr("192.0.2.1")]);
  assert.deepEqual(single.free(4, 2, new Set()), ["192.0.2.1"], "an installation with one address");
  assert.deepEqual(single.free(4, 2, new Set(["192.0.2.1"])), []);
});
