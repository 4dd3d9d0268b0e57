/**
 * What is asked of servers to see that they live, and whether something is an answer.
 *
 *   SIP    OPTIONS, RFC 3261 section 11: any response of the same Call-ID, 404 too: who answers lives
 *   STUN   Binding request, RFC 8489 section 2: any response of the same transaction
 *   DNS    who answers for the root, RFC 1035 section 4.1: any response of the same id, a refusal too
 */
import { randomBytes } from "node:crypto";

export interface ProbeMessage {
  readonly bytes: Uint8Array;
  isAnswer(bytes: Uint8Array): boolean;
}

/** `from`: our place as SIP writes it, "192.0.2.1:40000". */
export function sipOptions(host: string, port: number, from: string): ProbeMessage {
  const id = randomBytes(8).toString("hex");
  const place = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  const text = [
    `OPTIONS sip:${place} SIP/2.0`,
    `Via: SIP/2.0/UDP ${from};branch=z9hG4bK${id};rport`,
    "Max-Forwards: 1",
    `From: <sip:longhaul@${from}>;tag=${id}`,
    `To: <sip:${place}>`,
    `Call-ID: ${id}`,
    "CSeq: 1 OPTIONS",
    `Contact: <sip:longhaul@${from}>`,
    "User-Agent: longhaul",
    "Content-Length: 0",
    "",
    "",
  ].join("\r\n");
  return {
    bytes: Buffer.from(text),
    isAnswer: (bytes) => {
      const answer = Buffer.from(bytes).toString("latin1");
      return answer.startsWith("SIP/2.0 ") && answer.includes(id);
    },
  };
}

export function stunBinding(): ProbeMessage {
  const bytes = Buffer.alloc(20);
  bytes.writeUInt16BE(0x0001, 0);
  bytes.writeUInt32BE(0x2112a442, 4);
  randomBytes(12).copy(bytes, 8);
  return {
    bytes,
    // Class bits of a success or error response; the same cookie and transaction.
    isAnswer: (answer) =>
      answer.length >= 20 && (answer[0]! & 0xc1) === 0x01 && Buffer.from(answer).subarray(4, 20).equals(bytes.subarray(4)),
  };
}

export function dnsQuery(): ProbeMessage {
  const bytes = Buffer.alloc(DNS_HEADER_BYTES + 5);
  randomBytes(2).copy(bytes);
  bytes.writeUInt16BE(1, 4);
  bytes.writeUInt16BE(DNS_TYPE_NS, DNS_HEADER_BYTES + 1);
  bytes.writeUInt16BE(DNS_CLASS_IN, DNS_HEADER_BYTES + 3);
  return {
    bytes,
    isAnswer: (answer) =>
      answer.length >= DNS_HEADER_BYTES && answer[0] === bytes[0] && answer[1] === bytes[1] && (answer[2]! & 0x80) !== 0,
  };
}

const DNS_HEADER_BYTES = 12;
const DNS_TYPE_NS = 2;
const DNS_CLASS_IN = 1;

export function anyAnswer(payload: Uint8Array): ProbeMessage {
  return { bytes: payload, isAnswer: () => true };
}
