/** Network interfaces of this namespace, as rtnetlink describes them. */
import { HostError } from "../base/errors.ts";
import { attribute, NLM_F_DUMP, NLMSG_DONE, NLMSG_ERROR, RouteSocket, RTM_GETLINK, RTM_NEWLINK } from "./rtnetlink.ts";
import type { Sys } from "./sys.ts";

export interface Interface {
  readonly name: string;
  readonly ifindex: number;
  readonly up: boolean;
  readonly ethernet: boolean;
  /** "veth", "vlan", "bridge"; "" for hardware. */
  readonly kind: string;
  readonly mtu: number;
  readonly receiveQueues: number;
  /** Of a bridge or a bond that it belongs to; 0: none. */
  readonly master: number;
  /** Six bytes of an Ethernet interface. */
  readonly mac: Uint8Array;
  /** Tagged: the interface below and the tag. */
  readonly vlan: { readonly lower: number; readonly tag: number } | undefined;
}

/** @throws HostError */
export function listInterfaces(sys: Sys): Interface[] {
  const socket = new RouteSocket(sys, 0);
  const found: Interface[] = [];
  let done = false;
  try {
    socket.send(RTM_GETLINK, NLM_F_DUMP, new Uint8Array(IFINFOMSG_BYTES), []);
    while (!done)
      socket.receive(({ type, body }) => {
        if (type === NLMSG_DONE || type === NLMSG_ERROR) done = true;
        else if (type === RTM_NEWLINK) found.push(describe(body));
      }, true);
  } finally {
    socket.close();
  }
  return found;
}

/** @throws HostError ENODEV */
export function interfaceNamed(sys: Sys, name: string): Interface {
  const found = listInterfaces(sys).find((each) => each.name === name);
  if (found === undefined) throw new HostError("ENODEV", "interface", name);
  return found;
}

/** struct ifinfomsg: family u8 · u8 · type u16 · index s32 · flags u32 · change u32 */
function describe(body: DataView): Interface {
  const number = (type: number): number => attribute(body, IFINFOMSG_BYTES, type)?.getUint32(0, true) ?? 0;
  const info = attribute(body, IFINFOMSG_BYTES, IFLA_LINKINFO);
  const kind = info === undefined ? "" : textOf(attribute(info, 0, IFLA_INFO_KIND));
  const data = info === undefined ? undefined : attribute(info, 0, IFLA_INFO_DATA);
  const tag = kind === "vlan" && data !== undefined ? attribute(data, 0, IFLA_VLAN_ID)?.getUint16(0, true) : undefined;
  return {
    name: textOf(attribute(body, IFINFOMSG_BYTES, IFLA_IFNAME)),
    ifindex: body.getInt32(4, true),
    up: (body.getUint32(8, true) & IFF_UP) !== 0,
    ethernet: body.getUint16(2, true) === ARPHRD_ETHER,
    kind,
    mtu: number(IFLA_MTU),
    receiveQueues: number(IFLA_NUM_RX_QUEUES),
    master: number(IFLA_MASTER),
    mac: bytesOf(attribute(body, IFINFOMSG_BYTES, IFLA_ADDRESS)),
    vlan: tag === undefined ? undefined : { lower: number(IFLA_LINK), tag },
  };
}

function textOf(value: DataView | undefined): string {
  return value === undefined ? "" : Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("latin1").replace(/\0.*$/s, "");
}

function bytesOf(value: DataView | undefined): Uint8Array {
  return value === undefined ? new Uint8Array() : Uint8Array.from(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
}

const IFINFOMSG_BYTES = 16;
const IFF_UP = 1;
const ARPHRD_ETHER = 1;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINK = 5;
const IFLA_MASTER = 10;
const IFLA_LINKINFO = 18;
const IFLA_NUM_RX_QUEUES = 32;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_VLAN_ID = 1;
