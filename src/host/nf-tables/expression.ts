/**
 * Expressions: what a rule is made of. Each reads and writes registers, sixteen words of four bytes; where one does not match, the rule ends.
 *
 *   expression   name · data: nested attributes, each expression's own           numbers in network order
 *
 * Source: linux/netfilter/nf_tables.h; nft --debug=netlink shows how nft uses them.
 */
import type { AttributeWriter } from "./attribute-writer.ts";
import {
  IP_CT_DIR_ORIGINAL,
  NF_ACCEPT,
  NF_DROP,
  NF_NAT_RANGE_PROTO_SPECIFIED,
  NFPROTO_IPV4,
  NFPROTO_IPV6,
  NFT_GOTO,
  NFT_JUMP,
  NFT_NAT_DNAT,
  NFT_NAT_SNAT,
  NFT_OBJECT_CT_TIMEOUT,
  NFT_PAYLOAD_NETWORK_HEADER,
  NFT_PAYLOAD_TRANSPORT_HEADER,
  NFTA_DATA_VALUE,
  NFTA_DATA_VERDICT,
  NFTA_EXPR_DATA,
  NFTA_EXPR_NAME,
  NFTA_VERDICT_CHAIN,
  NFTA_VERDICT_CODE,
} from "./nf-tables-abi.ts";

export interface Expression {
  readonly name: string;
  /** The chain, set or object that must be there. */
  readonly refersTo?: string;
  /** Its own attributes. */
  readonly write: (out: AttributeWriter) => void;
}

/** Number of a word: 0 to 15. What is longer than four bytes takes the following ones too. */
export type Word = number;

export type Verdict = { readonly verb: "goto" | "jump"; readonly chain: string } | { readonly verb: "accept" | "drop" };

export function meta(key: number, to: Word): Expression {
  return expression("meta", (out) => {
    out.u32(2, key);
    out.u32(1, register(to));
  });
}

export function payload(header: "network" | "transport", offset: number, bytes: number, to: Word): Expression {
  return expression("payload", (out) => {
    out.u32(1, register(to));
    out.u32(2, header === "network" ? NFT_PAYLOAD_NETWORK_HEADER : NFT_PAYLOAD_TRANSPORT_HEADER);
    out.u32(3, offset);
    out.u32(4, bytes);
  });
}

/** `original`: what the connection's first packet had. */
export function ct(key: number, to: Word, original = false): Expression {
  return expression("ct", (out) => {
    out.u32(2, key);
    out.u32(1, register(to));
    if (original) out.u8(3, IP_CT_DIR_ORIGINAL);
  });
}

export function ctSet(key: number, from: Word): Expression {
  return expression("ct", (out) => {
    out.u32(2, key);
    out.u32(4, register(from));
  });
}

const comparisons = { eq: 0, neq: 1, lt: 2, lte: 3, gt: 4, gte: 5 } as const;

export function cmp(word: Word, comparison: keyof typeof comparisons, value: Uint8Array): Expression {
  return expression("cmp", (out) => {
    out.u32(1, register(word));
    out.u32(2, comparisons[comparison]);
    writeData(out, 3, value);
  });
}

/** The word with only the bits of the mask. */
export function bitwiseAnd(word: Word, mask: Uint8Array): Expression {
  return expression("bitwise", (out) => {
    out.u32(1, register(word));
    out.u32(2, register(word));
    out.u32(3, mask.length);
    writeData(out, 4, mask);
    writeData(out, 5, new Uint8Array(mask.length));
  });
}

/** A word in the machine's order to network order. */
export function hton(word: Word): Expression {
  return expression("byteorder", (out) => {
    out.u32(1, register(word));
    out.u32(2, register(word));
    out.u32(3, 1);
    out.u32(4, 4);
    out.u32(5, 4);
  });
}

export function immediate(to: Word, value: Uint8Array): Expression {
  return expression("immediate", (out) => {
    out.u32(1, register(to));
    writeData(out, 2, value);
  });
}

export function verdict(given: Verdict): Expression {
  const write = (out: AttributeWriter): void => {
    out.u32(1, 0);
    writeVerdict(out, 2, given);
  };
  return "chain" in given ? { name: "immediate", refersTo: given.chain, write } : expression("immediate", write);
}

/** `to`: where a map's value goes; "verdict": it is one. */
export function lookup(set: string, from: Word, to?: Word | "verdict"): Expression {
  const write = (out: AttributeWriter): void => {
    out.u32(2, register(from));
    if (to !== undefined) out.u32(3, to === "verdict" ? 0 : register(to));
    out.text(1, set);
  };
  return { name: "lookup", refersTo: set, write };
}

/** Matches what is not in the set. */
export function lookupNot(set: string, from: Word): Expression {
  const write = (out: AttributeWriter): void => {
    out.u32(2, register(from));
    out.text(1, set);
    out.u32(5, 1);
  };
  return { name: "lookup", refersTo: set, write };
}

/** Puts the key in the set, or renews it; `each`: what every element has of its own. */
export function update(set: string, from: Word, each?: Expression): Expression {
  const write = (out: AttributeWriter): void => {
    out.u32(4, register(from));
    out.u32(3, 1);
    out.text(1, set);
    if (each !== undefined) writeExpression(out, 7, each);
  };
  return { name: "dynset", refersTo: set, write };
}

/** What is within the rate matches. `burst` is beside a second's worth for bytes, and the whole bucket for packets. */
export function limit(unit: "packets" | "bytes", perSecond: number, burst: number): Expression {
  return expression("limit", (out) => {
    out.u64(1, perSecond);
    out.u64(2, 1);
    if (burst > 0) out.u32(3, burst);
    out.u32(4, unit === "bytes" ? 1 : 0);
    out.u32(5, 0);
  });
}

/** From `bytes` bytes at word `from` a number below `modulus`. */
export function jhash(from: Word, bytes: number, to: Word, modulus: number, seed: number): Expression {
  return expression("hash", (out) => {
    out.u32(1, register(from));
    out.u32(2, register(to));
    out.u32(3, bytes);
    out.u32(4, modulus);
    out.u32(5, seed);
    out.u32(6, 0);
    out.u32(7, 0);
  });
}

/** A random number below `modulus`. */
export function random(to: Word, modulus: number): Expression {
  return expression("numgen", (out) => {
    out.u32(1, register(to));
    out.u32(2, modulus);
    out.u32(3, 1);
    out.u32(4, 0);
  });
}

/** Words that hold addresses and ports; a maximum that is left out is the minimum. */
export interface Translation {
  readonly address?: Word;
  readonly addressLast?: Word;
  readonly port?: Word;
  readonly portLast?: Word;
}

export function nat(kind: "snat" | "dnat", family: 4 | 6, { address, addressLast, port, portLast }: Translation): Expression {
  return expression("nat", (out) => {
    out.u32(1, kind === "snat" ? NFT_NAT_SNAT : NFT_NAT_DNAT);
    out.u32(2, family === 4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
    if (address !== undefined) out.u32(3, register(address));
    if (addressLast !== undefined) out.u32(4, register(addressLast));
    if (port !== undefined) out.u32(5, register(port));
    if (portLast !== undefined) out.u32(6, register(portLast));
    if (portLast !== undefined) out.u32(7, NF_NAT_RANGE_PROTO_SPECIFIED);
  });
}

export function masquerade(port: Word, portLast: Word): Expression {
  return expression("masq", (out) => {
    out.u32(1, NF_NAT_RANGE_PROTO_SPECIFIED);
    out.u32(2, register(port));
    out.u32(3, register(portLast));
  });
}

/** The connection idles as long as the object of this name says. */
export function ctTimeout(name: string): Expression {
  const write = (out: AttributeWriter): void => {
    out.u32(1, NFT_OBJECT_CT_TIMEOUT);
    out.data(2, new TextEncoder().encode(name));
  };
  return { name: "objref", refersTo: name, write };
}

export function log(group: number, bytes: number, threshold: number): Expression {
  return expression("log", (out) => {
    out.u16(1, group);
    out.u32(3, bytes);
    out.u16(4, threshold);
  });
}

export function counter(): Expression {
  return expression("counter", () => {});
}

export function writeExpression(out: AttributeWriter, type: number, { name, write }: Expression): void {
  const whole = out.open(type);
  out.text(NFTA_EXPR_NAME, name);
  const data = out.open(NFTA_EXPR_DATA);
  write(out);
  out.close(data);
  out.close(whole);
}

export function writeVerdict(out: AttributeWriter, type: number, given: Verdict): void {
  const data = out.open(type);
  const nested = out.open(NFTA_DATA_VERDICT);
  out.u32(NFTA_VERDICT_CODE, codes[given.verb]);
  if ("chain" in given) out.text(NFTA_VERDICT_CHAIN, given.chain);
  out.close(nested);
  out.close(data);
}

export function writeData(out: AttributeWriter, type: number, value: Uint8Array): void {
  const data = out.open(type);
  out.data(NFTA_DATA_VALUE, value);
  out.close(data);
}

const codes = { goto: NFT_GOTO, jump: NFT_JUMP, accept: NF_ACCEPT, drop: NF_DROP };

/** Each fourth word has an older name, by which nft calls it. */
function register(word: Word): number {
  return (word & 3) === 0 ? 1 + (word >> 2) : 8 + word;
}

function expression(name: string, write: (out: AttributeWriter) => void): Expression {
  return { name, write };
}
