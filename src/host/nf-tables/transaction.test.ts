import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fromHex, toHex } from "../../base/hex.ts";
import { attributes } from "../netlink.ts";
import {
  bitwiseAnd,
  cmp,
  ct,
  ctSet,
  ctTimeout,
  type Expression,
  immediate,
  jhash,
  limit,
  log,
  lookup,
  masquerade,
  meta,
  nat,
  payload,
  random,
  update,
  verdict,
} from "./expression.ts";
import * as abi from "./nf-tables-abi.ts";
import { Transaction } from "./transaction.ts";

/** Messages of the real nft: what it was told, and what it sent. */
const { messages } = JSON.parse(readFileSync(join(import.meta.dirname, "../../../test/vectors/nft-messages.json"), "utf8")) as {
  readonly messages: readonly { readonly nft: string; readonly hex: string }[];
};

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const is = (key: number, value: number): Expression[] => [meta(key, 0), cmp(0, "eq", bytes(value))];
const ipv4 = is(abi.NFT_META_NFPROTO, abi.NFPROTO_IPV4);
const ipv6 = is(abi.NFT_META_NFPROTO, abi.NFPROTO_IPV6);
const udp = is(abi.NFT_META_L4PROTO, 17);
const place = [payload("network", 16, 4, 0), payload("transport", 2, 2, 1)];
const original = [ct(abi.NFT_CT_DST_IP, 0, true), ct(abi.NFT_CT_PROTO_DST, 1, true)];
const label = new Uint8Array(16);
label[14] = 0x80;
const labelled = [ct(abi.NFT_CT_LABELS, 0), bitwiseAnd(0, label), cmp(0, "neq", new Uint8Array(16))];
const goto = (chain: string): Expression => verdict({ verb: "goto", chain });
const ports = (low: number, high: number): Expression[] => [immediate(low, bytes(4, 0)), immediate(high, bytes(255, 255))];
const address = ["ipv4_addr", "inet_service"] as const;
const address6 = ["ipv6_addr", "inet_service"] as const;
const six = (last: number): number[] => [0x20, 1, 0xd, 0xb8, ...new Array(11).fill(0), last];

/** What nft was told → the same through a transaction. */
const same: Readonly<Record<string, (edit: Transaction) => void>> = {
  "add table inet t": (edit) => edit.addTable(),
  "add map inet t limit4": (edit) => edit.addSet({ name: "limit4", key: address, value: "verdict" }),
  "add map inet t to4 ": (edit) => edit.addSet({ name: "to4", key: address, value: address }),
  "add map inet t to6r": (edit) => edit.addSet({ name: "to6r", key: address6, value: address6, interval: true }),
  "add map inet t host4": (edit) => edit.addSet({ name: "host4", key: address, value: ["ipv4_addr"] }),
  "add set inet t denied4": (edit) => edit.addSet({ name: "denied4", key: address, size: 65_536, dynamic: true, counter: true }),
  "add set inet t m0": (edit) => edit.addSet({ name: "m0", key: address, size: 65_536, dynamic: true, timeoutSeconds: 10 }),
  "add set inet t state": (edit) => edit.addSet({ name: "state", key: ["mark", "mark"] }),
  "add element inet t state": (edit) => edit.addElement("state", { key: bytes(5, 0, 0, 0, 7, 0, 0, 0), comment: "hello" }),
  "add ct timeout": (edit) => edit.addTimeout("t4_60", 4, 60),
  "add chain inet t n2": (edit) => edit.addChain("n2"),
  "add chain inet t limits": (edit) => edit.addChain("limits", { type: "filter", at: "prerouting", priority: -150 }),
  "add chain inet t places": (edit) => edit.addChain("places", { type: "nat", at: "prerouting", priority: -100 }),
  "add chain inet t sources": (edit) => edit.addChain("sources", { type: "nat", at: "postrouting", priority: 100 }),
  "add rule inet t limits ct direction": (edit) =>
    edit.addRule("limits", [
      ...[ct(abi.NFT_CT_DIRECTION, 0), cmp(0, "eq", bytes(0)), ...ipv4, ...udp],
      ...[...place, lookup("limit4", 0, "verdict")],
    ]),
  "dnat ip to ip daddr . udp dport map @to4": (edit) =>
    edit.addRule("places", [...ipv4, ...udp, ...place, lookup("to4", 0, 0), nat("dnat", 4, { address: 0, port: 1 })]),
  "map @to6r": (edit) =>
    edit.addRule("places", [
      ...[...ipv6, ...udp, payload("network", 24, 16, 0), payload("transport", 2, 2, 4)],
      ...[lookup("to6r", 0, 0), nat("dnat", 6, { address: 0, port: 4 })],
    ]),
  "map @host4": (edit) => edit.addRule("places", [...ipv4, ...udp, ...place, lookup("host4", 0, 0), nat("dnat", 4, { address: 0 })]),
  "ct label set 119": (edit) => edit.addRule("n1", [immediate(0, label), ctSet(abi.NFT_CT_LABELS, 0)]),
  "ct timeout set": (edit) => edit.addRule("n1", [ctTimeout("t4_60")]),
  "sources ct label 119": (edit) => edit.addRule("sources", [...labelled, ...udp, ...original, lookup("limit4", 0, "verdict")]),
  "meta nfproto ipv4 ct label 119": (edit) => edit.addRule("sources", [...ipv4, ...labelled, ...udp, goto("n1")]),
  masquerade: (edit) => edit.addRule("sources", [...udp, ...ports(0, 4), masquerade(0, 4)]),
  "udp snat ip to 10.0.0.1:": (edit) =>
    edit.addRule("sources", [
      ...[...udp, immediate(0, bytes(10, 0, 0, 1)), ...ports(4, 8)],
      nat("snat", 4, { address: 0, port: 4, portLast: 8 }),
    ]),
  "snat ip to 10.0.0.1-10.0.0.9": (edit) =>
    edit.addRule("sources", [
      ...[...udp, immediate(0, bytes(10, 0, 0, 1)), immediate(4, bytes(10, 0, 0, 9)), ...ports(8, 12)],
      nat("snat", 4, { address: 0, addressLast: 4, port: 8, portLast: 12 }),
    ]),
  "jhash ip saddr . udp sport mod 5 seed 0x6c68 3": (edit) =>
    edit.addRule("sources", [
      ...[...udp, ...ipv4, payload("network", 12, 4, 4), payload("transport", 0, 2, 5), jhash(4, 8, 0, 5, 0x6c68)],
      ...[cmp(0, "eq", bytes(3, 0, 0, 0)), immediate(0, bytes(10, 0, 0, 1)), ...ports(4, 8)],
      nat("snat", 4, { address: 0, port: 4, portLast: 8 }),
    ]),
  "update @denied4": (edit) => edit.addRule("n1", [...ipv4, ...udp, ...place, update("denied4", 0)]),
  "n1 drop": (edit) => edit.addRule("n1", [verdict({ verb: "drop" })]),
  "n1 limit rate 100/second": (edit) => edit.addRule("n1", [limit("packets", 100, 100), goto("n2")]),
  "limit rate 100000 bytes/second": (edit) => edit.addRule("n1", [limit("bytes", 100_000, 0)]),
  "limit rate 1000 bytes/second": (edit) => edit.addRule("n1", [limit("bytes", 1000, 64_536)]),
  "update @m0": (edit) =>
    edit.addRule("n1", [...ipv4, ...udp, ...place, update("m0", 0, limit("packets", 100, 100)), verdict({ verb: "accept" })]),
  "ct state new": (edit) =>
    edit.addRule("n1", [...[ct(abi.NFT_CT_STATE, 0), bitwiseAnd(0, bytes(8, 0, 0, 0)), cmp(0, "neq", bytes(0, 0, 0, 0))], goto("n2")]),
  "numgen random": (edit) =>
    edit.addRule("n1", [
      ...[...udp, ct(abi.NFT_CT_DST_IP, 0, true), cmp(0, "gte", bytes(10, 0, 0, 1)), cmp(0, "lte", bytes(10, 0, 0, 9))],
      ...[ct(abi.NFT_CT_PROTO_DST, 0, true), cmp(0, "gte", bytes(0, 5)), cmp(0, "lte", bytes(0, 6)), ...labelled],
      ...[random(0, 5), cmp(0, "eq", bytes(0, 0, 0, 0)), log(19_200, 128, 32)],
    ]),
  "add element inet t to4 ": (edit) =>
    edit.addElement("to4", { key: bytes(1, 2, 3, 4, 0, 80, 0, 0), value: bytes(5, 6, 7, 8, 0, 90, 0, 0) }),
  "add element inet t limit4": (edit) =>
    edit.addElement("limit4", { key: bytes(1, 2, 3, 4, 0, 80, 0, 0), value: { verb: "goto", chain: "n1" } }),
  "add element inet t to6r": (edit) =>
    edit.addElement("to6r", {
      key: bytes(...six(1), 0, 80, 0, 0),
      keyLast: bytes(...six(5), 0, 90, 0, 0),
      value: bytes(...six(9), 0, 7, 0, 0),
    }),
};

test("messages are those of nft", () => {
  for (const [told, edit] of Object.entries(same)) {
    const found = messages.filter(({ nft }) => nft.includes(told));
    assert.equal(found.length, 1, `${told}: ${found.length} messages`);
    const transaction = new Transaction("t");
    edit(transaction);
    const [, own] = messagesOf(transaction.finish());
    const [theirs] = messagesOf(fromHex(found[0]!.hex));
    assert.deepEqual(own, theirs, told);
  }
});

test("elements of one set share messages, each below what an attribute can hold", () => {
  const transaction = new Transaction("t");
  for (let i = 0; i < 5000; i++) {
    const key = bytes(10, 0, 0, 1, i >> 8, i & 255, 0, 0);
    transaction.addElement("to4", { key, value: key });
  }
  transaction.deleteElement("to4", { key: new Uint8Array(8) });
  const all = messagesOf(transaction.finish());
  const added = all.filter(({ type }) => type === 0xa0c);
  assert.equal(added.length, 3);
  assert.equal(all.filter(({ type }) => type === 0xa0e).length, 1);
  const elements = added.flatMap(
    ({ content }) => content.find((each) => each.type === abi.NFTA_SET_ELEM_LIST_ELEMENTS)!.value as Attribute[],
  );
  assert.equal(elements.length, 5000);
});

test("a message that fails is told by its number", () => {
  const transaction = new Transaction("t");
  transaction.addChain("a");
  transaction.addElement("s", { key: new Uint8Array(4) });
  transaction.addElement("s", { key: new Uint8Array(4) });
  transaction.deleteChain("b");
  assert.deepEqual([transaction.step(1), transaction.step(2), transaction.step(3)], ["add chain a", "add elements s", "delete chain b"]);
});

interface Attribute {
  readonly type: number;
  readonly value: string | Attribute[];
}

/** What nft says to itself, and numbers of the transaction. */
const unimportant: Readonly<Record<number, readonly number[]>> = { 2569: [abi.NFTA_SET_ID, 13], 2572: [4] };

function messagesOf(given: Uint8Array<ArrayBuffer>): { readonly type: number; readonly family: number; readonly content: Attribute[] }[] {
  const view = new DataView(given.buffer, given.byteOffset, given.length);
  const out = [];
  for (let at = 0; at < given.length; ) {
    const length = view.getUint32(at, true);
    const type = view.getUint16(at + 4, true);
    const content = decode(view, at + 20, at + length).filter((each) => unimportant[type]?.includes(each.type) !== true);
    out.push({ type, family: view.getUint8(at + 16), content });
    at += (length + 3) & ~3;
  }
  return out;
}

/** In the order of types: the kernel looks them up by type. */
function decode(view: DataView, from: number, to: number): Attribute[] {
  const out: Attribute[] = [];
  attributes(view, from, to, (type, at, end) => {
    const nested = (view.getUint16(at - 2, true) & 0x8000) !== 0;
    out.push({ type, value: nested ? decode(view, at, end) : toHex(new Uint8Array(view.buffer, view.byteOffset + at, end - at)) });
  });
  // Sets made in the same transaction nft calls by their number, too.
  const [name, data] = out;
  const setNumber = { [toHex(Buffer.from("lookup\0"))]: 4, [toHex(Buffer.from("dynset\0"))]: 2 }[String(name?.value)];
  if (setNumber !== undefined && Array.isArray(data?.value))
    out[1] = { type: data.type, value: data.value.filter(({ type }) => type !== setNumber) };
  return out.sort((a, b) => a.type - b.type);
}
