/**
 * The kernel's connections: a listing of those of UDP with their counters, their end on demand, and word of those that ended.
 *
 * A connection has two tuples: `original` as its first packet came, `reply` as answers come; with NAT they are not each other's mirror.
 * Counters are there when net.netfilter.nf_conntrack_acct was 1 when the connection began.
 *
 * Source: linux/netfilter/nfnetlink_conntrack.h. Deviations: connections of other protocols are passed over.
 */
import type { Traffic } from "../base/traffic.ts";
import { addressBytes, formatIp } from "./ip-address.ts";
import { AF_INET, AF_INET6 } from "./linux-abi.ts";
import { attribute, attributes, NESTED, type NetlinkMessage, NetlinkSocket, NFGEN_BYTES, NLM_F_ACK, NLM_F_DUMP } from "./netlink.ts";

export interface Connection extends Readonly<Traffic> {
  readonly family: 4 | 6;
  readonly original: Tuple;
  readonly reply: Tuple;
  /** Until it ends, s. */
  readonly expires: number;
}

export interface Tuple {
  /** As text without brackets. */
  readonly from: string;
  readonly fromPort: number;
  readonly to: string;
  readonly toPort: number;
}

/** Looks at connections and ends them. Its socket stays open: the kernel takes its time to close one after nf_tables has changed. */
export class Conntrack {
  readonly #socket = new NetlinkSocket();

  /** Calls `each` for every UDP connection of this network namespace that wears the label (0…127), or does not. @throws HostError */
  list(label: number, each: (connection: Connection) => void, worn = true): void {
    this.#socket.add(GET, NLM_F_DUMP, 0, 0, (_view, at) => at);
    this.#socket.ask(1, (message) => {
      const connection = parse(message, label, worn);
      if (connection !== undefined) each(connection);
    });
  }

  /** Ends them; answers how many there still were. @throws HostError */
  end(connections: readonly Connection[]): number {
    const socket = this.#socket;
    let ended = 0;
    for (let next = 0; next < connections.length; ) {
      let count = 0;
      for (; next < connections.length && count < DELETES_AT_ONCE && socket.hasRoom(TUPLE_BYTES_MAX); next++, count++) {
        const { family, original } = connections[next]!;
        socket.add(DELETE, NLM_F_ACK, family === 4 ? AF_INET : AF_INET6, 0, (view, at) => writeTuple(view, at, family, original));
      }
      ended += count - socket.ask(count, () => {}).length;
    }
    return ended;
  }

  /** Ends all connections of this network namespace, of whatever protocol. @throws HostError */
  flush(): void {
    this.#socket.add(DELETE, NLM_F_ACK, 0, 0, (_view, at) => at);
    this.#socket.ask(1, () => {});
  }

  close(): void {
    this.#socket.close();
  }
}

/** Calls `each` for connections with the label when they have ended, until it is closed. */
export class EndedConnections {
  readonly #socket: NetlinkSocket;

  /** @throws HostError */
  constructor(label: number, each: (connection: Connection) => void) {
    this.#socket = new NetlinkSocket(GROUP_DESTROY, EVENT_BUFFER_BYTES);
    this.#socket.listen((message) => {
      const connection = parse(message, label, true);
      if (connection !== undefined) each(connection);
    });
  }

  /** Times that the kernel had more to tell than there was room for. */
  get overruns(): number {
    return this.#socket.overruns;
  }

  close(): void {
    this.#socket.close();
  }
}

const SUBSYSTEM = 1;
const GET = (SUBSYSTEM << 8) | 1;
const DELETE = (SUBSYSTEM << 8) | 2;
/** Bit of group 3, NFNLGRP_CONNTRACK_DESTROY. */
const GROUP_DESTROY = 1 << 2;
const CTA_TUPLE_ORIG = 1;
const CTA_TUPLE_REPLY = 2;
const CTA_TIMEOUT = 7;
const CTA_COUNTERS_ORIG = 9;
const CTA_COUNTERS_REPLY = 10;
const CTA_LABELS = 22;
const UDP = 17;
const TUPLE_BYTES_MAX = 128;
/** Tuning: their answers fit the socket's buffer. */
const DELETES_AT_ONCE = 256;
const EVENT_BUFFER_BYTES = 16 << 20;

function parse({ view, at, end }: NetlinkMessage, label: number, worn: boolean): Connection | undefined {
  const family = view.getUint8(at) === AF_INET ? 4 : 6;
  let original: Tuple | undefined;
  let reply: Tuple | undefined;
  let expires = 0;
  let labels = 0;
  let labelsEnd = 0;
  const counts = [0, 0, 0, 0];
  attributes(view, at + NFGEN_BYTES, end, (type, from, to) => {
    if (type === CTA_LABELS) [labels, labelsEnd] = [from, to];
    else if (type === CTA_TUPLE_ORIG) original = readTuple(view, from, to);
    else if (type === CTA_TUPLE_REPLY) reply = readTuple(view, from, to);
    else if (type === CTA_TIMEOUT) expires = view.getUint32(from);
    else if (type === CTA_COUNTERS_ORIG || type === CTA_COUNTERS_REPLY) {
      const place = type === CTA_COUNTERS_ORIG ? 0 : 2;
      attributes(view, from, to, (counter, value) => {
        if (counter === 1 || counter === 2) counts[place + counter - 1] = Number(view.getBigUint64(value));
      });
    }
  });
  const labelled = (bit: number): boolean =>
    labels + (bit >> 3) < labelsEnd && (view.getUint8(labels + (bit >> 3)) & (1 << (bit & 7))) !== 0;
  if (original === undefined || reply === undefined || labelled(label) !== worn) return undefined;
  const [packetsIn = 0, bytesIn = 0, packetsOut = 0, bytesOut = 0] = counts;
  return { family, original, reply, packetsIn, bytesIn, packetsOut, bytesOut, expires };
}

function readTuple(view: DataView, at: number, end: number): Tuple | undefined {
  let from = "";
  let to = "";
  let fromPort = 0;
  let toPort = 0;
  let protocol = 0;
  attributes(view, at, end, (part, start, stop) => {
    if (part === 1)
      attributes(view, start, stop, (type, value, valueEnd) => {
        if (type === 1 || type === 3) from = addressAt(view, value, valueEnd);
        else if (type === 2 || type === 4) to = addressAt(view, value, valueEnd);
      });
    else if (part === 2)
      attributes(view, start, stop, (type, value) => {
        if (type === 1) protocol = view.getUint8(value);
        else if (type === 2) fromPort = view.getUint16(value);
        else if (type === 3) toPort = view.getUint16(value);
      });
  });
  return protocol === UDP ? { from, fromPort, to, toPort } : undefined;
}

function addressAt(view: DataView, at: number, end: number): string {
  if (end - at === 4) return `${view.getUint8(at)}.${view.getUint8(at + 1)}.${view.getUint8(at + 2)}.${view.getUint8(at + 3)}`;
  return formatIp(new Uint8Array(view.buffer, view.byteOffset, view.byteLength), at);
}

function writeTuple(view: DataView, at: number, family: 4 | 6, { from, fromPort, to, toPort }: Tuple): number {
  return attribute(view, at, CTA_TUPLE_ORIG | NESTED, (tuple) => {
    const next = attribute(view, tuple, 1 | NESTED, (ip) => {
      const second = attribute(view, ip, family === 4 ? 1 : 3, (value) => put(view, value, addressBytes(from)));
      return attribute(view, second, family === 4 ? 2 : 4, (value) => put(view, value, addressBytes(to)));
    });
    return attribute(view, next, 2 | NESTED, (protocol) => {
      const number = attribute(view, protocol, 1, (value) => put(view, value, Uint8Array.of(UDP)));
      const source = attribute(view, number, 2, (value) => put(view, value, Uint8Array.of(fromPort >> 8, fromPort & 255)));
      return attribute(view, source, 3, (value) => put(view, value, Uint8Array.of(toPort >> 8, toPort & 255)));
    });
  });
}

function put(view: DataView, at: number, bytes: Uint8Array): number {
  bytes.forEach((byte, i) => void view.setUint8(at + i, byte));
  return at + bytes.length;
}
