/**
 * Questions to the kernel's tables: by which interface and next hop packets to an address leave, and the next hop's hardware address.
 *
 * Source: rtnetlink(7); linux/rtnetlink.h, linux/neighbour.h.
 */
import { formatIp, IP_BYTES } from "./ip-address.ts";
import { AF_INET, AF_INET6 } from "./linux-abi.ts";
import {
  attribute,
  NLM_F_CREATE,
  NLM_F_REPLACE,
  NLMSG_ERROR,
  RouteSocket,
  RTM_GETNEIGH,
  RTM_GETROUTE,
  RTM_NEWNEIGH,
  RTM_NEWROUTE,
} from "./rtnetlink.ts";
import type { Sys } from "./sys.ts";

export interface Way {
  readonly ifindex: number;
  /** The address itself or the gateway's. */
  readonly nextHop: string;
  /** Our address that packets there have. */
  readonly source: string;
  /** It is this machine's own. */
  readonly local: boolean;
  /** More is done to packets than sending them: they are put into a tunnel. */
  readonly encapsulated: boolean;
}

export class RouteQuestions {
  readonly #socket: RouteSocket;

  /** @throws HostError */
  constructor(sys: Sys) {
    this.#socket = new RouteSocket(sys, 0);
  }

  /** `to`, `from`: 4 or 16 bytes; without `from`, of packets whose source the route chooses. Undefined: there is no way. @throws HostError */
  wayTo(to: Uint8Array, from?: Uint8Array): Way | undefined {
    // struct rtmsg: family u8 · length of destination u8 · length of source u8 · …
    const fixed = new Uint8Array(RTMSG_BYTES);
    fixed[0] = to.length === 4 ? AF_INET : AF_INET6;
    fixed[1] = to.length * 8;
    fixed[2] = (from?.length ?? 0) * 8;
    this.#socket.send(
      RTM_GETROUTE,
      0,
      fixed,
      from === undefined
        ? [[RTA_DST, to]]
        : [
            [RTA_DST, to],
            [RTA_SRC, from],
          ],
    );
    let way: Way | undefined;
    this.#socket.receive(({ type, body }) => {
      if (type === NLMSG_ERROR || type !== RTM_NEWROUTE) return;
      const kind = body.getUint8(7);
      if (kind !== RTN_UNICAST && kind !== RTN_LOCAL) return;
      const out = attribute(body, RTMSG_BYTES, RTA_OIF);
      const gateway = attribute(body, RTMSG_BYTES, RTA_GATEWAY) ?? attribute(body, RTMSG_BYTES, RTA_VIA);
      const source = attribute(body, RTMSG_BYTES, RTA_PREFSRC);
      if (out === undefined || (source === undefined && from === undefined)) return;
      way = {
        ifindex: out.getUint32(0, true),
        nextHop: gateway === undefined ? textOf(to) : nextHopOf(gateway),
        source: source === undefined ? textOf(from!) : textOf(bytesOf(source)),
        local: kind === RTN_LOCAL,
        encapsulated: attribute(body, RTMSG_BYTES, RTA_ENCAP_TYPE) !== undefined,
      };
    }, true);
    return way;
  }

  /** The hardware address of a neighbour, as long as the kernel takes it for right; undefined: it does not know it. @throws HostError */
  hardwareAddress(ifindex: number, address: Uint8Array): Uint8Array | undefined {
    this.#socket.send(RTM_GETNEIGH, 0, ndmsg(ifindex, address), [[NDA_DST, address]]);
    let found: Uint8Array | undefined;
    this.#socket.receive((message) => {
      if (message.type === RTM_NEWNEIGH) found = heardOf(message.body)?.hardware;
    }, true);
    return found;
  }

  /** Has the kernel ask for the neighbour's MAC if it does not know it. @throws HostError */
  resolve(ifindex: number, address: Uint8Array): void {
    const fixed = ndmsg(ifindex, address);
    // One that is known is let be: being used would make a permanent one an ordinary one.
    let state = 0;
    this.#socket.send(RTM_GETNEIGH, 0, fixed, [[NDA_DST, address]]);
    this.#socket.receive(({ type, body }) => {
      if (type === RTM_NEWNEIGH) state = body.getUint16(8, true);
    }, true);
    if ((state & ~(NUD_INCOMPLETE | NUD_FAILED)) !== 0) return;
    fixed[10] = NTF_USE;
    this.#socket.send(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, fixed, [[NDA_DST, address]]);
    // Errors come as answers, which the next question would take for its own.
    this.#socket.receive(() => {});
  }

  close(): void {
    this.#socket.close();
  }
}

/** What a message about a neighbour says; undefined: nothing of use. `hardware` is undefined when the kernel does not know it, or no longer. */
export function heardOf(
  body: DataView,
): { readonly ifindex: number; readonly address: string; readonly hardware: Uint8Array | undefined } | undefined {
  const address = attribute(body, NDMSG_BYTES, NDA_DST);
  if (address === undefined) return undefined;
  const usable = (body.getUint16(8, true) & (NUD_INCOMPLETE | NUD_FAILED)) === 0;
  const hardware = usable ? attribute(body, NDMSG_BYTES, NDA_LLADDR) : undefined;
  return {
    ifindex: body.getInt32(4, true),
    address: textOf(bytesOf(address)),
    hardware: hardware === undefined ? undefined : bytesOf(hardware).slice(),
  };
}

/** struct ndmsg: family u8 · 3 bytes · interface s32 · state u16 · flags u8 · type u8 */
function ndmsg(ifindex: number, address: Uint8Array): Uint8Array {
  const fixed = new Uint8Array(NDMSG_BYTES);
  fixed[0] = address.length === 4 ? AF_INET : AF_INET6;
  new DataView(fixed.buffer).setInt32(4, ifindex, true);
  return fixed;
}

/** struct rtvia begins with its family, two bytes. */
function nextHopOf(gateway: DataView): string {
  const bytes = bytesOf(gateway);
  return textOf(bytes.length === 4 || bytes.length === IP_BYTES ? bytes : bytes.subarray(2));
}

function bytesOf({ buffer, byteOffset, byteLength }: DataView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function textOf(bytes: Uint8Array): string {
  return bytes.length === IP_BYTES ? formatIp(bytes, 0) : bytes.join(".");
}

const RTMSG_BYTES = 12;
const NDMSG_BYTES = 12;
const RTA_DST = 1;
const RTA_SRC = 2;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PREFSRC = 7;
const RTA_VIA = 18;
const RTA_ENCAP_TYPE = 21;
const RTN_UNICAST = 1;
const RTN_LOCAL = 2;
const NDA_DST = 1;
const NDA_LLADDR = 2;
const NTF_USE = 1;
const NUD_INCOMPLETE = 1;
const NUD_FAILED = 0x20;
