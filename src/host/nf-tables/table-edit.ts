/** What can be done to a table, one after another; all of it takes effect together. What is added may be there already, if it is alike. */
import type { Expression, Verdict } from "./expression.ts";

/** Where the kernel calls a chain. */
export interface Hook {
  readonly type: "filter" | "nat";
  readonly at: "prerouting" | "forward" | "postrouting";
  readonly priority: number;
}

export type Field = "ipv4_addr" | "ipv6_addr" | "inet_service" | "mark" | "integer";

export interface SetSpec {
  readonly name: string;
  readonly key: readonly Field[];
  /** Makes it a map. */
  readonly value?: readonly Field[] | "verdict";
  /** Keys may be ranges. */
  readonly interval?: boolean;
  /** Most elements. */
  readonly size?: number;
  /** Rules add elements. */
  readonly dynamic?: boolean;
  /** Elements go when they were not renewed for so long. */
  readonly timeoutSeconds?: number;
  /** Each element counts packets and bytes. */
  readonly counter?: boolean;
}

/** Fields one after another, each filled up with zeros to whole words, in network order (a mark in the machine's). */
export interface SetElement {
  readonly key: Uint8Array;
  /** The last one of a range of a set whose keys have several fields. */
  readonly keyLast?: Uint8Array;
  /** Of a set whose key is one field: the first key that is not in the range any more. */
  readonly ends?: boolean;
  readonly value?: Uint8Array | Verdict;
  /** For those who list it. */
  readonly comment?: string;
}

export interface TableEdit {
  addChain(name: string, hook?: Hook): void;
  /** Takes all its rules away. */
  flushChain(name: string): void;
  deleteChain(name: string): void;
  addRule(chain: string, expressions: readonly Expression[]): void;
  addSet(set: SetSpec): void;
  flushSet(name: string): void;
  deleteSet(name: string): void;
  /** An element that is there already is an error. */
  addElement(set: string, element: SetElement): void;
  deleteElement(set: string, element: SetElement): void;
  /** How long UDP connections idle. */
  addTimeout(name: string, family: 4 | 6, seconds: number): void;
}
