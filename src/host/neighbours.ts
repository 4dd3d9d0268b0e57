/**
 * The ways of this machine: the route to an address, its neighbour resolved ahead, and a word when either changes.
 */
import { addressBytes, formatIp, IP_BYTES } from "./ip-address.ts";
import { AF_INET, AF_INET6 } from "./linux-abi.ts";
import {
  attribute,
  NLM_F_CREATE,
  NLM_F_REPLACE,
  NLMSG_ERROR,
  type RouteMessage,
  RouteSocket,
  RTM_DELNEIGH,
  RTM_GETNEIGH,
  RTM_GETROUTE,
  RTM_NEWNEIGH,
  RTM_NEWROUTE,
} from "./rtnetlink.ts";
import type { Poll, Sys } from "./sys.ts";

export interface Way {
  readonly ifindex: number;
  /** The address itself or the gateway's. */
  readonly nextHop: string;
  /** Our address that packets there have. */
  readonly source: string;
  /** It is this machine's own. */
  readonly local: boolean;
}

export class Neighbours {
  readonly #questions: RouteSocket;
  readonly #news: RouteSocket;
  readonly #poll: Poll;
  readonly #changed: () => void;
  /** MACs by "interface address", as far as they were heard of. */
  readonly #known = new Map<string, string>();

  /** `changed`: a route, an address, an interface or a neighbour's MAC. @throws HostError */
  constructor(sys: Sys, changed: () => void) {
    this.#changed = changed;
    this.#questions = new RouteSocket(sys, 0);
    this.#news = new RouteSocket(sys, GROUPS);
    this.#poll = sys.poll(this.#news.fd, () => {
      if (!this.#news.receive((message) => this.#hear(message))) this.#changed();
    });
  }

  /** Undefined: there is none. @throws HostError */
  wayTo(address: string): Way | undefined {
    const bytes = addressBytes(address);
    // struct rtmsg: family u8 · length of destination u8 · …
    const fixed = new Uint8Array(RTMSG_BYTES);
    fixed[0] = bytes.length === 4 ? AF_INET : AF_INET6;
    fixed[1] = bytes.length * 8;
    this.#questions.send(RTM_GETROUTE, 0, fixed, [[RTA_DST, bytes]]);
    let way: Way | undefined;
    this.#questions.receive(({ type, body }) => {
      if (type === NLMSG_ERROR || type !== RTM_NEWROUTE) return;
      const kind = body.getUint8(7);
      if (kind !== RTN_UNICAST && kind !== RTN_LOCAL) return;
      const out = attribute(body, RTMSG_BYTES, RTA_OIF);
      const gateway = attribute(body, RTMSG_BYTES, RTA_GATEWAY);
      const source = attribute(body, RTMSG_BYTES, RTA_PREFSRC);
      if (out === undefined || source === undefined) return;
      const nextHop = gateway === undefined ? address : textOf(gateway);
      way = { ifindex: out.getUint32(0, true), nextHop, source: textOf(source), local: kind === RTN_LOCAL };
    }, true);
    return way;
  }

  /** Has the kernel ask for the neighbour's MAC if it does not know it. @throws HostError */
  resolve(ifindex: number, address: string): void {
    const bytes = addressBytes(address);
    // struct ndmsg: family u8 · 3 bytes · interface s32 · state u16 · flags u8 · type u8
    const fixed = new Uint8Array(NDMSG_BYTES);
    const view = new DataView(fixed.buffer);
    fixed[0] = bytes.length === 4 ? AF_INET : AF_INET6;
    view.setInt32(4, ifindex, true);
    // One that is known is let be: being used would make a permanent one an ordinary one.
    let state = 0;
    this.#questions.send(RTM_GETNEIGH, 0, fixed, [[NDA_DST, bytes]]);
    this.#questions.receive(({ type, body }) => {
      if (type === RTM_NEWNEIGH) state = body.getUint16(8, true);
    }, true);
    if ((state & ~(NUD_INCOMPLETE | NUD_FAILED)) !== 0) return;
    fixed[10] = NTF_USE;
    this.#questions.send(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, fixed, [[NDA_DST, bytes]]);
    // Errors come as answers, which the next question would take for its own.
    this.#questions.receive(() => {});
  }

  close(): void {
    this.#poll.stop();
    this.#news.close();
    this.#questions.close();
  }

  #hear({ type, body }: RouteMessage): void {
    if (type !== RTM_NEWNEIGH && type !== RTM_DELNEIGH) {
      this.#changed();
      return;
    }
    const address = attribute(body, NDMSG_BYTES, NDA_DST);
    if (address === undefined) return;
    const key = `${body.getInt32(4, true)} ${textOf(address)}`;
    const mac = attribute(body, NDMSG_BYTES, NDA_LLADDR);
    if (type === RTM_DELNEIGH || mac === undefined) {
      this.#known.delete(key);
      return;
    }
    const text = Buffer.from(mac.buffer, mac.byteOffset, mac.byteLength).toString("hex");
    if (this.#known.get(key) === text) return;
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(key, text);
    this.#changed();
  }
}

function textOf(address: DataView): string {
  const bytes = new Uint8Array(address.buffer, address.byteOffset, address.byteLength);
  if (bytes.length === IP_BYTES) return formatIp(bytes, 0);
  return bytes.join(".");
}

/** RTMGRP_LINK, _NEIGH, _IPV4_IFADDR, _IPV4_ROUTE, _IPV6_IFADDR, _IPV6_ROUTE */
const GROUPS = 0x1 | 0x4 | 0x10 | 0x40 | 0x100 | 0x400;
const RTMSG_BYTES = 12;
const NDMSG_BYTES = 12;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PREFSRC = 7;
const RTN_UNICAST = 1;
const RTN_LOCAL = 2;
const NDA_DST = 1;
const NDA_LLADDR = 2;
const NTF_USE = 1;
const NUD_INCOMPLETE = 1;
const NUD_FAILED = 0x20;
const KNOWN_MAX = 65_536;
