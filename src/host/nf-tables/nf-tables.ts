/** The kernel's packet filter, asked and changed without a program between. */
import { release } from "node:os";
import { HostError } from "../../base/errors.ts";
import { ENOENT, EPERM, errnoName } from "../errno.ts";
import { attribute, attributes, type NetlinkMessage, NetlinkSocket, NFGEN_BYTES, NLM_F_DUMP, NLM_F_DUMP_INTR } from "../netlink.ts";
import * as abi from "./nf-tables-abi.ts";
import type { Transaction } from "./transaction.ts";

export interface ListedChain {
  readonly family: "inet" | "ip" | "ip6" | "other";
  readonly table: string;
  readonly name: string;
  /** It has a hook, and there drops what no rule decides. */
  readonly dropsForwarded: boolean;
}

export interface ListedElement {
  readonly key: Uint8Array;
  readonly comment: string;
  /** Of its counter, if it has one. */
  readonly packets: number;
}

/** Tuning: how often a list is asked for again that changed while it was read. */
const LIST_TRIES = 5;
const families: Readonly<Record<number, ListedChain["family"]>> = {
  [abi.NFPROTO_INET]: "inet",
  [abi.NFPROTO_IPV4]: "ip",
  [abi.NFPROTO_IPV6]: "ip6",
};

/** Whether rules may ask if a map has a key: since Linux 6.5. */
export function mapsAreSets(): boolean {
  const [major = 0, minor = 0] = release().split(".").map(Number);
  return major > 6 || (major === 6 && minor >= 5);
}

/** A socket that stays open: when one is closed the kernel waits until what earlier changes took away is freed. */
export class NfTables {
  readonly #socket: NetlinkSocket;

  /** @throws HostError */
  constructor() {
    this.#socket = new NetlinkSocket();
  }

  /** Returns when it has taken effect: some 100 ms for 50,000 elements. @throws HostError and nothing has changed, ENOENT when the table is not there */
  commit(transaction: Transaction): void {
    const answers = this.#socket.post(transaction.finish());
    for (const [sequence, errno] of answers) if (errno !== 0) throw refusal(errno, transaction.step(sequence));
    if (answers.size === 0) throw new HostError("EIO", "nf_tables", "no answer");
  }

  /** Of all families and tables. @throws HostError */
  chains(): ListedChain[] {
    return (
      this.#list(abi.NFT_MSG_GETCHAIN, 0, [], ({ view, at, end }) => {
        let [table, name, hook, policy] = ["", "", -1, abi.NF_ACCEPT];
        attributes(view, at + NFGEN_BYTES, end, (type, from, to) => {
          if (type === abi.NFTA_TABLE) table = textAt(view, from, to);
          else if (type === abi.NFTA_CHAIN_NAME) name = textAt(view, from, to);
          else if (type === abi.NFTA_CHAIN_POLICY) policy = view.getUint32(from);
          else if (type === abi.NFTA_CHAIN_HOOK)
            attributes(view, from, to, (part, value) => {
              if (part === abi.NFTA_HOOK_HOOKNUM) hook = view.getUint32(value);
            });
        });
        const family = families[view.getUint8(at)] ?? "other";
        return { family, table, name, dropsForwarded: family !== "other" && hook === abi.NF_INET_FORWARD && policy === abi.NF_DROP };
      }) ?? []
    );
  }

  /** Names of a table's sets and maps; of no table none. @throws HostError */
  sets(table: string): string[] {
    return (
      this.#list(abi.NFT_MSG_GETSET, abi.NFPROTO_INET, [[abi.NFTA_TABLE, table]], ({ view, at, end }) => {
        let name = "";
        attributes(view, at + NFGEN_BYTES, end, (type, from, to) => {
          if (type === abi.NFTA_SET_NAME) name = textAt(view, from, to);
        });
        return name;
      }) ?? []
    );
  }

  /** Undefined when there is no such set. @throws HostError */
  elements(table: string, set: string): ListedElement[] | undefined {
    const names = [[abi.NFTA_TABLE, table] as const, [abi.NFTA_SET_ELEM_LIST_SET, set] as const];
    return this.#list(abi.NFT_MSG_GETSETELEM, abi.NFPROTO_INET, names, ({ view, at, end }) => {
      const elements: ListedElement[] = [];
      attributes(view, at + NFGEN_BYTES, end, (type, from, to) => {
        if (type !== abi.NFTA_SET_ELEM_LIST_ELEMENTS) return;
        attributes(view, from, to, (_type, start, stop) => void elements.push(readElement(view, start, stop)));
      });
      return elements;
    })?.flat();
  }

  close(): void {
    this.#socket.close();
  }

  /** Undefined: it is not there. */
  #list<T>(
    what: number,
    family: number,
    names: readonly (readonly [type: number, name: string])[],
    read: (message: NetlinkMessage) => T,
  ): T[] | undefined {
    for (let tries = 1; ; tries++) {
      const found: T[] = [];
      let changed = false;
      this.#socket.add((abi.NFNL_SUBSYS_NFTABLES << 8) | what, NLM_F_DUMP, family, 0, (view, at) => {
        let next = at;
        for (const [type, name] of names) next = putText(view, next, type, name);
        return next;
      });
      const [errno] = this.#socket.ask(1, (message) => {
        changed ||= (message.flags & NLM_F_DUMP_INTR) !== 0;
        found.push(read(message));
      });
      if (errno === ENOENT) return undefined;
      if (errno !== undefined) throw refusal(errno, "list");
      if (!changed || tries === LIST_TRIES) return found;
    }
  }
}

function refusal(errno: number, step: string): HostError {
  if (errno === EPERM) return new HostError("EPERM", "nf_tables", "needs the capability CAP_NET_ADMIN: run as root");
  // What the kernel says where it has neither the subsystem nor a module of it.
  if (step === "list") return new HostError(errnoName(errno), "nf_tables", "the kernel has no nf_tables, or does not let it be listed");
  return new HostError(errnoName(errno), "nf_tables", step);
}

function readElement(view: DataView, at: number, end: number): ListedElement {
  let key: Uint8Array = new Uint8Array(0);
  let comment = "";
  let packets = 0;
  const readCounter = (from: number, to: number): void =>
    attributes(view, from, to, (type, start, stop) => {
      if (type !== abi.NFTA_EXPR_DATA) return;
      attributes(view, start, stop, (part, value) => {
        if (part === abi.NFTA_COUNTER_PACKETS) packets = Number(view.getBigUint64(value));
      });
    });
  attributes(view, at, end, (type, from, to) => {
    if (type === abi.NFTA_SET_ELEM_KEY)
      attributes(view, from, to, (part, start, stop) => {
        if (part === abi.NFTA_DATA_VALUE) key = bytesAt(view, start, stop).slice();
      });
    // Behind kind and length.
    else if (type === abi.NFTA_SET_ELEM_USERDATA && to - from > 2) comment = textAt(view, from + 2, to);
    else if (type === abi.NFTA_SET_ELEM_EXPR) readCounter(from, to);
    else if (type === abi.NFTA_SET_ELEM_EXPRESSIONS) attributes(view, from, to, (_type, start, stop) => readCounter(start, stop));
  });
  return { key, comment, packets };
}

function putText(view: DataView, at: number, type: number, text: string): number {
  return attribute(view, at, type, (value) => {
    const zeroed = `${text}\0`;
    for (let i = 0; i < zeroed.length; i++) view.setUint8(value + i, zeroed.charCodeAt(i));
    return value + zeroed.length;
  });
}

function textAt(view: DataView, at: number, end: number): string {
  return new TextDecoder().decode(bytesAt(view, at, end)).replace(/\0.*$/s, "");
}

function bytesAt(view: DataView, at: number, end: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at, end - at);
}
