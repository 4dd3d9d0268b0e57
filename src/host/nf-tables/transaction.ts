/**
 * Changes of a table as the kernel wants them: one datagram of messages that takes effect as a whole or not at all.
 *
 *   BATCH_BEGIN · message … · BATCH_END
 *   message of elements: table · set · list of elements, near the 64 KiB that an attribute can hold
 *
 * Source: linux/netfilter/nfnetlink.h, nf_tables.h. Pure: nf-tables.ts sends it.
 */
import { AttributeWriter } from "./attribute-writer.ts";
import { counter, type Expression, writeData, writeExpression, writeVerdict } from "./expression.ts";
import * as abi from "./nf-tables-abi.ts";
import type { Field, Hook, SetElement, SetSpec, TableEdit } from "./table-edit.ts";

/** Tuning: below 65,535 by more than the longest element (a key of 20 bytes and its end, a verdict, a comment of 255). */
const ELEMENTS_BYTES_MAX = 64_000;
const CREATE = 0x400;
const COMMENT = 0;
const UDP = 17;
const AF = { 4: 2, 6: 10 } as const;

/** Numbers by which nft knows what to print, and lengths. */
const fields: Readonly<Record<Field, readonly [type: number, bytes: number]>> = {
  ipv4_addr: [7, 4],
  ipv6_addr: [8, 16],
  inet_service: [13, 2],
  mark: [19, 4],
  integer: [4, 4],
};
const hooks = { prerouting: abi.NF_INET_PRE_ROUTING, forward: abi.NF_INET_FORWARD, postrouting: abi.NF_INET_POST_ROUTING } as const;

export class Transaction implements TableEdit {
  readonly #out = new AttributeWriter();
  readonly #table: string;
  /** What each message does, by its sequence number, for who hears that one failed. */
  readonly #steps: string[] = [""];
  #setId = 0;
  /** The list of elements that is still open. */
  #open: { readonly type: number; readonly set: string; readonly list: number } | undefined;

  /** `table`: of family inet. */
  constructor(table: string) {
    this.#table = table;
    this.#out.begin(abi.NFNL_MSG_BATCH_BEGIN, 0, 0, 0, abi.NFNL_SUBSYS_NFTABLES);
    this.#out.end();
  }

  /** Ends it: the datagram. Its last change is acknowledged when all have taken effect; of one that fails the number is told. */
  finish(): Uint8Array<ArrayBuffer> {
    this.#endElements();
    this.#out.acknowledge();
    this.#out.begin(abi.NFNL_MSG_BATCH_END, 0, this.#steps.length, 0, abi.NFNL_SUBSYS_NFTABLES);
    this.#out.end();
    return this.#out.written;
  }

  /** What the message of this number does. */
  step(sequence: number): string {
    return this.#steps[sequence] ?? "";
  }

  addTable(): void {
    this.#message(abi.NFT_MSG_NEWTABLE, CREATE, "add table", () => this.#out.u32(2, 0));
  }

  deleteTable(): void {
    this.#message(abi.NFT_MSG_DELTABLE, 0, "delete table", () => {});
  }

  addChain(name: string, hook?: Hook): void {
    this.#message(abi.NFT_MSG_NEWCHAIN, CREATE, `add chain ${name}`, (out) => {
      out.text(abi.NFTA_CHAIN_NAME, name);
      if (hook === undefined) return;
      out.text(abi.NFTA_CHAIN_TYPE, hook.type);
      const nested = out.open(abi.NFTA_CHAIN_HOOK);
      out.u32(abi.NFTA_HOOK_HOOKNUM, hooks[hook.at]);
      out.u32(abi.NFTA_HOOK_PRIORITY, hook.priority);
      out.close(nested);
    });
  }

  flushChain(name: string): void {
    this.#message(abi.NFT_MSG_DELRULE, 0, `flush chain ${name}`, (out) => out.text(abi.NFTA_RULE_CHAIN, name));
  }

  deleteChain(name: string): void {
    this.#message(abi.NFT_MSG_DELCHAIN, 0, `delete chain ${name}`, (out) => out.text(abi.NFTA_CHAIN_NAME, name));
  }

  addRule(chain: string, expressions: readonly Expression[]): void {
    this.#message(abi.NFT_MSG_NEWRULE, CREATE | APPEND, `add rule ${chain}`, (out) => {
      out.text(abi.NFTA_RULE_CHAIN, chain);
      const list = out.open(abi.NFTA_RULE_EXPRESSIONS);
      for (const expression of expressions) writeExpression(out, abi.NFTA_LIST_ELEM, expression);
      out.close(list);
    });
  }

  addSet(set: SetSpec): void {
    this.#message(abi.NFT_MSG_NEWSET, CREATE, `add set ${set.name}`, (out) => {
      out.text(abi.NFTA_SET_NAME, set.name);
      out.u32(abi.NFTA_SET_FLAGS, flagsOf(set));
      out.u32(abi.NFTA_SET_KEY_TYPE, typeOf(set.key));
      out.u32(abi.NFTA_SET_KEY_LEN, bytesOf(set.key));
      if (set.value === "verdict") {
        out.u32(abi.NFTA_SET_DATA_TYPE, abi.NFT_DATA_VERDICT);
        out.u32(abi.NFTA_SET_DATA_LEN, 0);
      } else if (set.value !== undefined) {
        out.u32(abi.NFTA_SET_DATA_TYPE, typeOf(set.value));
        out.u32(abi.NFTA_SET_DATA_LEN, bytesOf(set.value));
      }
      out.u32(abi.NFTA_SET_ID, ++this.#setId);
      this.#describe(set);
      if (set.timeoutSeconds !== undefined) out.u64(abi.NFTA_SET_TIMEOUT, set.timeoutSeconds * 1000);
      if (set.counter === true) writeExpression(out, abi.NFTA_SET_EXPR, counter());
    });
  }

  flushSet(name: string): void {
    this.#message(abi.NFT_MSG_DELSETELEM, 0, `flush set ${name}`, (out) => out.text(abi.NFTA_SET_ELEM_LIST_SET, name));
  }

  deleteSet(name: string): void {
    this.#message(abi.NFT_MSG_DELSET, 0, `delete set ${name}`, (out) => out.text(abi.NFTA_SET_NAME, name));
  }

  addElement(set: string, element: SetElement): void {
    this.#element(abi.NFT_MSG_NEWSETELEM, set, element);
  }

  deleteElement(set: string, element: SetElement): void {
    this.#element(abi.NFT_MSG_DELSETELEM, set, element);
  }

  addTimeout(name: string, family: 4 | 6, seconds: number): void {
    this.#message(abi.NFT_MSG_NEWOBJ, CREATE, `add ct timeout ${name}`, (out) => {
      out.text(abi.NFTA_OBJ_NAME, name);
      out.u32(abi.NFTA_OBJ_TYPE, abi.NFT_OBJECT_CT_TIMEOUT);
      const data = out.open(abi.NFTA_OBJ_DATA);
      out.u16(abi.NFTA_CT_TIMEOUT_L3PROTO, AF[family]);
      out.u8(abi.NFTA_CT_TIMEOUT_L4PROTO, UDP);
      const policy = out.open(abi.NFTA_CT_TIMEOUT_DATA);
      out.u32(abi.CTA_TIMEOUT_UDP_UNREPLIED, seconds);
      out.u32(abi.CTA_TIMEOUT_UDP_REPLIED, seconds);
      out.close(policy);
      out.close(data);
    });
  }

  #describe({ key, interval, size }: SetSpec): void {
    const concatenated = interval === true && key.length > 1;
    if (size === undefined && !concatenated) return;
    const out = this.#out;
    const description = out.open(abi.NFTA_SET_DESC);
    if (size !== undefined) out.u32(abi.NFTA_SET_DESC_SIZE, size);
    if (concatenated) {
      const list = out.open(abi.NFTA_SET_DESC_CONCAT);
      for (const field of key) {
        const nested = out.open(abi.NFTA_LIST_ELEM);
        out.u32(abi.NFTA_SET_FIELD_LEN, fields[field][1]);
        out.close(nested);
      }
      out.close(list);
    }
    out.close(description);
  }

  #element(type: number, set: string, { key, keyLast, ends, value, comment }: SetElement): void {
    if (this.#open?.type !== type || this.#open.set !== set || this.#out.messageBytes > ELEMENTS_BYTES_MAX) this.#beginElements(type, set);
    const out = this.#out;
    const element = out.open(abi.NFTA_LIST_ELEM);
    if (ends === true) out.u32(abi.NFTA_SET_ELEM_FLAGS, abi.NFT_SET_ELEM_INTERVAL_END);
    writeData(out, abi.NFTA_SET_ELEM_KEY, key);
    if (keyLast !== undefined) writeData(out, abi.NFTA_SET_ELEM_KEY_END, keyLast);
    if (value instanceof Uint8Array) writeData(out, abi.NFTA_SET_ELEM_DATA, value);
    else if (value !== undefined) writeVerdict(out, abi.NFTA_SET_ELEM_DATA, value);
    if (comment !== undefined) out.data(abi.NFTA_SET_ELEM_USERDATA, commentBytes(comment));
    out.close(element);
  }

  #beginElements(type: number, set: string): void {
    this.#endElements();
    const added = type === abi.NFT_MSG_NEWSETELEM;
    this.#begin(type, added ? CREATE | EXCLUSIVE : 0, `${added ? "add" : "delete"} elements ${set}`);
    this.#out.text(abi.NFTA_SET_ELEM_LIST_SET, set);
    this.#open = { type, set, list: this.#out.open(abi.NFTA_SET_ELEM_LIST_ELEMENTS) };
  }

  #endElements(): void {
    if (this.#open === undefined) return;
    this.#out.close(this.#open.list);
    this.#out.end();
    this.#open = undefined;
  }

  #message(type: number, flags: number, step: string, write: (out: AttributeWriter) => void): void {
    this.#endElements();
    this.#begin(type, flags, step);
    write(this.#out);
    this.#out.end();
  }

  #begin(type: number, flags: number, step: string): void {
    this.#out.begin((abi.NFNL_SUBSYS_NFTABLES << 8) | type, flags, this.#steps.length, abi.NFPROTO_INET);
    this.#steps.push(step);
    this.#out.text(abi.NFTA_TABLE, this.#table);
  }
}

const EXCLUSIVE = 0x200;
const APPEND = 0x800;

/** As nft's own: kind, length, text with a zero behind it. */
function commentBytes(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(`\0\0${text}\0`);
  bytes[0] = COMMENT;
  bytes[1] = bytes.length - 2;
  return bytes;
}

function flagsOf({ key, value, interval, dynamic, timeoutSeconds }: SetSpec): number {
  let flags = 0;
  if (value !== undefined) flags |= abi.NFT_SET_MAP;
  if (interval === true) flags |= abi.NFT_SET_INTERVAL | (key.length > 1 ? abi.NFT_SET_CONCAT : 0);
  if (dynamic === true) flags |= abi.NFT_SET_EVAL;
  if (timeoutSeconds !== undefined) flags |= abi.NFT_SET_TIMEOUT;
  return flags;
}

function typeOf(all: readonly Field[]): number {
  return all.reduce((type, field) => (type << 6) | fields[field][0], 0);
}

/** One field as long as it is, several filled up to whole words each. */
function bytesOf(all: readonly Field[]): number {
  if (all.length === 1) return fields[all[0]!][1];
  return all.reduce((sum, field) => sum + ((fields[field][1] + 3) & ~3), 0);
}
