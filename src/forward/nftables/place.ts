/** Pieces of rules that look at a datagram's ends, and keys as maps of places have them: an address, then a port in a word of its own. */
import { cmp, type Expression, meta, payload, type Word } from "../../host/nf-tables/expression.ts";
import { NFPROTO_IPV4, NFPROTO_IPV6, NFT_META_L4PROTO, NFT_META_NFPROTO } from "../../host/nf-tables/nf-tables-abi.ts";
import type { Field, SetElement } from "../../host/nf-tables/table-edit.ts";
import { bytesOf, type Family } from "../ip-range.ts";
import type { Listen } from "../listen.ts";

const UDP = 17;

export function isFamily(family: Family): readonly Expression[] {
  return [meta(NFT_META_NFPROTO, 0), cmp(0, "eq", Uint8Array.of(family === 4 ? NFPROTO_IPV4 : NFPROTO_IPV6))];
}

export function isUdp(): readonly Expression[] {
  return [meta(NFT_META_L4PROTO, 0), cmp(0, "eq", Uint8Array.of(UDP))];
}

/** Words of an address. */
export function wordsOf(family: Family): number {
  return family === 4 ? 1 : 4;
}

export function sourceAddress(family: Family, to: Word): Expression {
  return family === 4 ? payload("network", 12, 4, to) : payload("network", 8, 16, to);
}

export function sourcePort(to: Word): Expression {
  return payload("transport", 0, 2, to);
}

/** Where the datagram goes: address and port. */
export function place(family: Family, to: Word): readonly Expression[] {
  const address = family === 4 ? payload("network", 16, 4, to) : payload("network", 24, 16, to);
  return [address, payload("transport", 2, 2, to + wordsOf(family))];
}

export function addressField(family: Family): Field {
  return family === 4 ? "ipv4_addr" : "ipv6_addr";
}

export function addressOf(family: Family, value: bigint): Uint8Array {
  if (family === 4) {
    const number = Number(value);
    return Uint8Array.of(number >>> 24, number >>> 16, number >>> 8, number);
  }
  return bytesOf(family, value);
}

export function portBytes(port: number): Uint8Array {
  return Uint8Array.of(port >>> 8, port);
}

export function endOf(family: Family, address: bigint, port: number): Uint8Array {
  const bytes = new Uint8Array(family === 4 ? 8 : 20);
  bytes.set(addressOf(family, address));
  bytes.set(portBytes(port), bytes.length - 4);
  return bytes;
}

export function keyOf({ addresses: { family, first, last }, ports }: Listen): SetElement {
  const key = endOf(family, first, ports.first);
  return first === last && ports.first === ports.last ? { key } : { key, keyLast: endOf(family, last, ports.last) };
}

/** Of a key that `endOf` made. */
export function readEnd(key: Uint8Array): { readonly address: Uint8Array; readonly port: number } {
  const at = key.length - 4;
  return { address: key.subarray(0, at), port: (key[at]! << 8) | key[at + 1]! };
}

/** 32 bits in network order. */
export function numberBytes(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

/** The first address behind a range, undefined when there is none. */
export function behind(family: Family, last: bigint): Uint8Array | undefined {
  const next = last + 1n;
  return next >> (family === 4 ? 32n : 128n) > 0n ? undefined : addressOf(family, next);
}
