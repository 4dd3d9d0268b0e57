/**
 * What a received IP packet says on its outside: whose it is, and where its payload lies. One object is used for all packets.
 * Source: reference udp2raw.md section 5.
 */
import { readIcmp, readUdp } from "./datagram-header.ts";
import { echoType, protocolOf } from "./envelope.ts";
import { type IpPacket, pseudoHeaderAt, readIp } from "./ip-header.ts";
import type { RawMode, Role } from "./mode.ts";
import { readTcp, type TcpHeader } from "./tcp-header.ts";

export class Arrival {
  /** Where the sender's address lies in the packet, and how long it is: 4 or 16 bytes. */
  readonly ip: IpPacket = { start: 0, end: 0, protocol: 0, addressBytes: 0, sourceAt: 0, destinationAt: 0 };
  readonly tcp: TcpHeader = { sourcePort: 0, destinationPort: 0, seq: 0, ack: 0, flags: 0, window: 0, tsval: 0, tsecr: 0 };
  /** For icmp both are the id. */
  sourcePort = 0;
  destinationPort = 0;
  /** icmp's. */
  seq = 0;
  /** The payload: bytes[start…end) of the packet that was read. */
  start = 0;
  end = 0;
  /** Payload bytes of each of the packets that the kernel has merged into this one; 0: it is one. */
  segmentBytes = 0;
  /** Where on a link it came from (host/raw-socket.ts); 0: nobody wants to know. */
  place = 0;
  readonly #mode: RawMode;
  readonly #from: Role;
  readonly #udp = { sourcePort: 0, destinationPort: 0 };
  readonly #icmp = { type: 0, id: 0, seq: 0 };

  /** For packets of that mode which the other role sends. */
  constructor(mode: RawMode, from: Role) {
    this.#mode = mode;
    this.#from = from;
  }

  /** Reads the IP packet bytes[start…end); false when it is damaged or of another kind. */
  read(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    const { ip } = this;
    if (!readIp(bytes, view, start, end, ip)) return false;
    const v6 = ip.addressBytes === 16;
    if (ip.protocol !== protocolOf(this.#mode, v6)) return false;
    const pseudo = this.#mode === "icmp" && !v6 ? 0 : pseudoHeaderAt(bytes, ip);
    this.end = ip.end;
    if (this.#mode === "faketcp") {
      this.start = readTcp(bytes, view, ip.start, ip.end, pseudo, this.tcp);
      this.sourcePort = this.tcp.sourcePort;
      this.destinationPort = this.tcp.destinationPort;
    } else if (this.#mode === "udp") {
      this.start = readUdp(view, bytes, ip.start, ip.end, pseudo, this.#udp);
      this.sourcePort = this.#udp.sourcePort;
      this.destinationPort = this.#udp.destinationPort;
    } else {
      this.start = readIcmp(view, bytes, ip.start, ip.end, pseudo, this.#icmp);
      if (this.#icmp.type !== echoType(this.#from, v6)) return false;
      this.sourcePort = this.#icmp.id;
      this.destinationPort = this.#icmp.id;
      this.seq = this.#icmp.seq;
    }
    return this.start >= 0;
  }

  /** Whether the packet came from this address. */
  isFrom(bytes: Uint8Array, address: Uint8Array): boolean {
    const { sourceAt, addressBytes } = this.ip;
    if (address.length !== addressBytes) return false;
    for (let i = 0; i < addressBytes; i++) if (bytes[sourceAt + i] !== address[i]) return false;
    return true;
  }
}
