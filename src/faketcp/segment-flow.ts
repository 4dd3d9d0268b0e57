/**
 * One flow of tcpraw, kcptun's --tcp: the kernels at both ends have made a real TCP connection and are kept quiet since; datagrams follow as segments of it
 * that nobody acknowledges for their own sake and nobody sends again.
 *
 *   │ IP │ TCP 32: PSH ACK, window 65535, no-operation twice, timestamps │ datagram │
 *
 *   seq   what the other end last acknowledged, and from there on + length       a lost segment is not made up for: the numbers just go on
 *   ack   end of what came in order
 *
 * Source: reference kcptun.md section 9.3 (--tcp), udp2raw.md section 10. Deviations: the timestamp is echoed (the original compares a length wrongly and
 * echoes 0); data segments of a flow are taken with any flags, as long as they carry PSH, as there.
 */
import type { Millis } from "../base/units.ts";
import { type IpHeader, ipBytes, pseudoHeader, TCP, writeIp } from "./ip-header.ts";
import { ACK, FIN, PSH, SYN, TCP_BYTES, type TcpHeader, writeTcp } from "./tcp-header.ts";

/** Before a datagram there must be room for so many bytes: IPv6 and TCP. */
export const SEGMENT_HEAD_BYTES = 72;

/** Addresses of 4 or 16 bytes, both alike. */
export interface FlowEnds {
  readonly local: Uint8Array;
  readonly remote: Uint8Array;
  readonly localPort: number;
  readonly remotePort: number;
}

export class SegmentFlow {
  /** Something of the other end was seen, so that the numbers are those of the connection. */
  known = false;
  readonly #ip: IpHeader;
  readonly #tcp: TcpHeader;
  readonly #addressSum: number;
  readonly #timestampBase: number;
  #seq = 0;
  #ack = 0;
  #hasAck = false;
  #id: number;

  /** `random`: any number, 0…2^32−1. */
  constructor({ local, remote, localPort, remotePort }: FlowEnds, random: number) {
    this.#ip = { source: local, destination: remote, protocol: TCP };
    this.#tcp = {
      sourcePort: localPort,
      destinationPort: remotePort,
      seq: 0,
      ack: 0,
      flags: ACK | PSH,
      window: WINDOW,
      tsval: 0,
      tsecr: 0,
    };
    this.#addressSum = pseudoHeader(local, remote, TCP, 0);
    this.#timestampBase = random;
    this.#id = random & 0xffff;
  }

  /** A segment of the other end came, with so many bytes of payload. */
  received(tcp: Readonly<TcpHeader>, length: number): void {
    this.known = true;
    this.#tcp.tsecr = tcp.tsval;
    if ((tcp.flags & ACK) !== 0) this.#seq = tcp.ack;
    const next = (tcp.seq + length + ((tcp.flags & SYN) !== 0 ? 1 : 0) + ((tcp.flags & FIN) !== 0 ? 1 : 0)) >>> 0;
    if (next === tcp.seq || (this.#hasAck && this.#ack !== tcp.seq)) return;
    this.#ack = next;
    this.#hasAck = true;
  }

  /** Writes the headers before the datagram bytes[start…end), SEGMENT_HEAD_BYTES of room; answers where the packet begins. */
  write(now: Millis, bytes: Uint8Array, view: DataView, start: number, end: number): number {
    const tcp = this.#tcp;
    const head = start - TCP_BYTES;
    tcp.seq = this.#seq;
    tcp.ack = this.#ack;
    tcp.tsval = (this.#timestampBase + Math.floor(now)) >>> 0;
    writeTcp(bytes, view, head, end, tcp, this.#addressSum + end - head);
    this.#seq = (this.#seq + end - start) >>> 0;
    const at = head - ipBytes(this.#ip.source);
    writeIp(bytes, view, at, end, this.#ip, this.#id, TTL);
    this.#id = (this.#id + 1) & 0xffff;
    return at;
  }
}

const WINDOW = 65_535;
const TTL = 64;
