/**
 * The outer headers of a raw connection: IP, and TCP, ICMP or UDP around a payload that is in place already.
 *
 *   │ IP 20 or 40 │ TCP 32 (SYN: 40), ICMP or UDP 8 │ payload │
 *
 * Source: reference udp2raw.md section 5. Deviations: data segments carry PSH, so that the receiver's kernel does not merge them; timestamps begin
 * anywhere instead of at the Unix epoch; the window changes with the timestamp and not with every packet.
 */
import type { Millis } from "../base/units.ts";
import {
  DATAGRAM_HEADER_BYTES,
  ECHO_REPLY,
  ECHO_REPLY_V6,
  ECHO_REQUEST,
  ECHO_REQUEST_V6,
  type IcmpHeader,
  writeIcmp,
  writeUdp,
} from "./datagram-header.ts";
import { ICMP, ICMPV6, type IpHeader, ipBytes, pseudoHeader, TCP, UDP, writeIp } from "./ip-header.ts";
import type { RawMode, Role } from "./mode.ts";
import { SYN, TCP_BYTES, TCP_SYN_BYTES, type TcpHeader, writeTcp } from "./tcp-header.ts";

/** Before a payload there must be room for so many bytes: IPv6 and a SYN. */
export const HEAD_BYTES_MAX = 80;

export interface EnvelopeOptions {
  readonly mode: RawMode;
  readonly role: Role;
  /** 1…255; default 64. */
  readonly ttl?: number;
  /** Uniform 0…2^32−1; not for keys. */
  readonly u32: () => number;
}

/** Where a connection's packets come from and go to. Addresses of 4 or 16 bytes, both alike. */
export interface Ends {
  readonly local: Uint8Array;
  readonly remote: Uint8Array;
  /** For icmp both are the client's id. */
  readonly localPort: number;
  readonly remotePort: number;
}

export class Envelope {
  readonly #mode: RawMode;
  readonly #ttl: number;
  readonly #u32: () => number;
  readonly #timestampBase: number;
  readonly #ip: IpHeader;
  readonly #tcp: TcpHeader;
  readonly #udp: { sourcePort: number; destinationPort: number };
  readonly #icmp: IcmpHeader;
  readonly #addressSum: number;
  readonly #headBytes: number;
  #id: number;

  constructor({ mode, role, ttl = 64, u32 }: EnvelopeOptions, ends: Ends) {
    const { local, remote, localPort, remotePort } = ends;
    const v6 = local.length === 16;
    this.#mode = mode;
    this.#ttl = ttl;
    this.#u32 = u32;
    this.#timestampBase = u32();
    this.#id = u32() & 0xffff;
    this.#ip = { source: local, destination: remote, protocol: protocolOf(mode, v6) };
    this.#addressSum = mode === "icmp" && !v6 ? 0 : pseudoHeader(local, remote, this.#ip.protocol, 0);
    this.#tcp = { sourcePort: localPort, destinationPort: remotePort, seq: 0, ack: 0, flags: 0, window: 0, tsval: 0, tsecr: 0 };
    this.#udp = { sourcePort: localPort, destinationPort: remotePort };
    this.#icmp = { type: echoType(role, v6), id: localPort, seq: 0 };
    this.#headBytes = ipBytes(local) + (mode === "faketcp" ? TCP_BYTES : DATAGRAM_HEADER_BYTES);
  }

  /** Of a packet with data. */
  get headBytes(): number {
    return this.#headBytes;
  }

  /** Writes the headers of a faketcp segment before its payload bytes[payload…end); answers where the packet begins. */
  tcp(
    now: Millis,
    bytes: Uint8Array,
    view: DataView,
    payload: number,
    end: number,
    flags: number,
    seq: number,
    ack: number,
    tsecr: number,
  ): number {
    const tcp = this.#tcp;
    const head = payload - ((flags & SYN) !== 0 ? TCP_SYN_BYTES : TCP_BYTES);
    tcp.seq = seq;
    tcp.ack = ack;
    tcp.flags = flags;
    const tsval = (this.#timestampBase + Math.floor(now)) >>> 0;
    // Packets of the same moment have it alike, so that they can leave as one.
    if (tsval !== tcp.tsval) tcp.window = WINDOW + (this.#u32() % WINDOW_JITTER);
    tcp.tsval = tsval;
    tcp.tsecr = tsecr;
    writeTcp(bytes, view, head, end, tcp, this.#pseudo(end - head));
    return this.#ipBefore(bytes, view, head, end);
  }

  /** The same for icmp and udp; `seq` 0…65,535 is icmp's. */
  datagram(bytes: Uint8Array, view: DataView, payload: number, end: number, seq: number): number {
    const head = payload - DATAGRAM_HEADER_BYTES;
    if (this.#mode === "udp") writeUdp(view, bytes, head, end, this.#udp, this.#pseudo(end - head));
    else {
      this.#icmp.seq = seq;
      writeIcmp(view, bytes, head, end, this.#icmp, this.#addressSum === 0 ? 0 : this.#pseudo(end - head));
    }
    return this.#ipBefore(bytes, view, head, end);
  }

  #ipBefore(bytes: Uint8Array, view: DataView, head: number, end: number): number {
    const at = head - ipBytes(this.#ip.source);
    writeIp(bytes, view, at, end, this.#ip, this.#id, this.#ttl);
    this.#id = (this.#id + 1) & 0xffff;
    return at;
  }

  #pseudo(length: number): number {
    return this.#addressSum + length;
  }
}

export function protocolOf(mode: RawMode, v6: boolean): number {
  if (mode === "faketcp") return TCP;
  if (mode === "udp") return UDP;
  return v6 ? ICMPV6 : ICMP;
}

/** The client asks, the server answers. */
export function echoType(sender: Role, v6: boolean): number {
  if (sender === "client") return v6 ? ECHO_REQUEST_V6 : ECHO_REQUEST;
  return v6 ? ECHO_REPLY_V6 : ECHO_REPLY;
}

const WINDOW = 40_960;
const WINDOW_JITTER = 512;
