/** Addresses of applications as descriptions carry them (extension/description.ts), to and from "host:port". */
import { PLACE_BYTES } from "../extension/description.ts";
import { formatHostPort, formatIp, IP_BYTES, parseIp } from "../host/ip-address.ts";
import type { ProxiedAddress } from "../host/proxy-protocol.ts";

/** Undefined for what is no literal address with a port, such as the path of a unix socket. */
export function placeOf(text: string): Uint8Array | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const place = new Uint8Array(PLACE_BYTES);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535 || !parseIp(match[1] ?? match[2] ?? "", place, 0)) return undefined;
  place[IP_BYTES] = port;
  place[IP_BYTES + 1] = port >>> 8;
  return place;
}

export function addressOf(place: Uint8Array): ProxiedAddress {
  return { host: formatIp(place, 0), port: place[IP_BYTES]! | (place[IP_BYTES + 1]! << 8) };
}

export function formatPlace(place: Uint8Array): string {
  const { host, port } = addressOf(place);
  return formatHostPort(host, port);
}
