/** A datagram as it would look on the wire, for a capture: IP and UDP headers made anew, without a checksum of UDP. RFC 791, RFC 8200, RFC 768. */
import { addInternet, foldInternet } from "../../faketcp/checksum.ts";
import { addressBytes } from "../../host/ip-address.ts";

interface Place {
  /** Literal; both of one family. */
  readonly host: string;
  readonly port: number;
}

/** `length`: of the whole packet, of which `bytes` holds at most `bytesMax`. */
export function ipPacket(
  from: Place,
  to: Place,
  payload: Uint8Array,
  bytesMax: number,
): { readonly bytes: Uint8Array; readonly length: number } {
  const six = from.host.includes(":");
  const header = six ? 40 : 20;
  const length = header + 8 + payload.length;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  if (six) {
    bytes[0] = 0x60;
    view.setUint16(4, 8 + payload.length);
    bytes.set([17, 64], 6);
  } else {
    bytes[0] = 0x45;
    view.setUint16(2, length);
    bytes.set([64, 17], 8);
  }
  bytes.set(addressBytes(from.host), six ? 8 : 12);
  bytes.set(addressBytes(to.host), six ? 24 : 16);
  if (!six) view.setUint16(10, foldInternet(addInternet(bytes, 0, IPV4_BYTES)));
  view.setUint16(header, from.port);
  view.setUint16(header + 2, to.port);
  view.setUint16(header + 4, 8 + payload.length);
  bytes.set(payload, header + 8);
  return { bytes: bytes.subarray(0, bytesMax), length };
}

const IPV4_BYTES = 20;
