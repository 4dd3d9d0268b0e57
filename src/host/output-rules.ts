/**
 * Whether anything stands between packets of this machine and their interface that sending them by the link would pass by: rules of a firewall
 * behind the hooks output and postrouting, and policies of IPsec.
 *
 *   nftables   chains at those hooks that have rules or another policy than accept; those of our own firewall rules aside, which are for the kernel's packets
 *   iptables   as nftables; of the older kind, tables that are in use at all (/proc/net/ip_tables_names)
 *   IPsec      policies for what goes out
 *
 * What may not be asked (it needs CAP_NET_ADMIN) counts as a rule. Not seen: programs of control groups at egress, which systemd's IPAddressDeny is made of.
 *
 * Source: linux/netfilter/nf_tables.h; linux/xfrm.h; nft(8), Address families and hooks.
 */
import { readFileSync } from "node:fs";
import { EPERM } from "./errno.ts";
import { PREFIX } from "./firewall.ts";
import { type NetlinkMessage, NetlinkSocket, NFGEN_BYTES, NLM_F_ACK, NLM_F_DUMP } from "./netlink.ts";
import { attribute, NETLINK_XFRM, RouteSocket } from "./rtnetlink.ts";
import type { Sys } from "./sys.ts";

export class OutputRules {
  readonly #version: 4 | 6;
  readonly #nft: NetlinkSocket;
  readonly #ipsec: RouteSocket | undefined;
  #generation = -1;
  #chains = true;

  /** @throws HostError */
  constructor(sys: Sys, version: 4 | 6) {
    this.#version = version;
    this.#nft = new NetlinkSocket(0, NFT_BUFFER_BYTES);
    try {
      this.#ipsec = new RouteSocket(sys, 0, NETLINK_XFRM);
    } catch {
      // A kernel without IPsec.
    }
  }

  /** Three short questions; all chains are listed only when something was changed since the last time. @throws HostError */
  none(): boolean {
    return !this.#hasOldTables() && !this.#hasPolicies() && !this.#hasChains();
  }

  close(): void {
    this.#nft.close();
    this.#ipsec?.close();
  }

  #hasChains(): boolean {
    let generation = -1;
    this.#nft.add(NFTABLES | GET_GENERATION, NLM_F_ACK, 0, 0, (_view, at) => at);
    const errors = this.#nft.ask(1, (message) => {
      generation = valueIn(message, GENERATION_ID)?.getUint32(0) ?? -1;
    });
    // Any other error: a kernel without nftables.
    if (errors.length > 0) return errors.includes(EPERM);
    if (generation === this.#generation) return this.#chains;
    let found = false;
    this.#nft.add(NFTABLES | GET_CHAIN, NLM_F_DUMP, 0, 0, (_view, at) => at);
    const failed = this.#nft.ask(1, (message) => {
      found ||= this.#stands(message);
    });
    if (failed.length > 0) return true;
    this.#generation = generation;
    this.#chains = found;
    return found;
  }

  #stands(message: NetlinkMessage): boolean {
    const family = message.view.getUint8(message.at);
    if (family !== FAMILY_INET && family !== (this.#version === 4 ? FAMILY_IPV4 : FAMILY_IPV6)) return false;
    const hook = valueIn(message, CHAIN_HOOK);
    if (hook === undefined) return false;
    const number = attribute(hook, 0, HOOK_NUMBER)?.getUint32(0) ?? HOOK_OUTPUT;
    if (number !== HOOK_OUTPUT && number !== HOOK_POSTROUTING) return false;
    if (textOf(valueIn(message, CHAIN_TABLE)).startsWith(PREFIX)) return false;
    return (valueIn(message, CHAIN_POLICY)?.getUint32(0) ?? ACCEPT) !== ACCEPT || (valueIn(message, CHAIN_USE)?.getUint32(0) ?? 1) > 0;
  }

  #hasOldTables(): boolean {
    try {
      return readFileSync(`/proc/thread-self/net/ip${this.#version === 4 ? "" : "6"}_tables_names`, "utf8") !== "";
    } catch (error) {
      return (error as NodeJS.ErrnoException).code !== "ENOENT";
    }
  }

  #hasPolicies(): boolean {
    if (this.#ipsec === undefined) return false;
    this.#ipsec.send(GET_POLICY_COUNTS, 0, new Uint8Array(4), []);
    let policies = 1;
    this.#ipsec.receive(({ type, body }) => {
      // struct xfrmu_spdinfo: policies in u32 · out u32 · …, behind four bytes of flags
      if (type === POLICY_COUNTS) policies = attribute(body, 4, POLICY_COUNTS_INFO)?.getUint32(4, true) ?? 1;
    }, true);
    return policies > 0;
  }
}

/** Of a message of the packet filter's, which rtnetlink lays alike. */
function valueIn({ view, at, end }: NetlinkMessage, wanted: number): DataView | undefined {
  return attribute(new DataView(view.buffer, view.byteOffset + at, end - at), NFGEN_BYTES, wanted);
}

function textOf(value: DataView | undefined): string {
  return value === undefined ? "" : Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("latin1");
}

const NFT_BUFFER_BYTES = 1 << 20;
/** NFNL_SUBSYS_NFTABLES << 8 */
const NFTABLES = 10 << 8;
const GET_CHAIN = 4;
const GET_GENERATION = 16;
const GENERATION_ID = 1;
const CHAIN_TABLE = 1;
const CHAIN_HOOK = 4;
const CHAIN_POLICY = 5;
/** Rules and jumps. */
const CHAIN_USE = 6;
const HOOK_NUMBER = 1;
const HOOK_OUTPUT = 3;
const HOOK_POSTROUTING = 4;
const ACCEPT = 1;
const FAMILY_INET = 1;
const FAMILY_IPV4 = 2;
const FAMILY_IPV6 = 10;
/** XFRM_MSG_GETSPDINFO, XFRM_MSG_NEWSPDINFO, XFRMA_SPD_INFO */
const GET_POLICY_COUNTS = 0x25;
const POLICY_COUNTS = 0x24;
const POLICY_COUNTS_INFO = 1;
