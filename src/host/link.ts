/**
 * A path for datagrams, in batches, whatever carries them: what a tunnel is built on.
 *
 *   tunnel ─ Link ─┬─ UDP socket                                udpCarrier below
 *                  ├─ raw packets that look like TCP or ICMP    carrier/
 *                  └─ frames in TCP connections                 carrier/
 *
 * Carriers stack in one process, without a hop over loopback.
 */
import type { Batch } from "../base/batch.ts";
import type { Bytes } from "../base/units.ts";
import type { AddressTableCounters } from "./address.ts";
import type { Departure } from "./departure.ts";
import type { Loop, UdpCounters, UdpHandler } from "./loop.ts";

/** Who can be sent to, as small integers that stay what they are while they are held. */
export interface LinkPeers {
  readonly counters: AddressTableCounters;
  /** Whom we call: a literal address. −1 when no more fit. */
  intern(host: string, port: number): number;
  hold(peer: number): void;
  release(peer: number): void;
  /** Literal address, IPv6 without brackets. */
  host(peer: number): string;
  port(peer: number): number;
  /** The address of ours that the peer asked, "::" when unknown. */
  localHost(peer: number): string;
  /** For logs. */
  format(peer: number): string;
}

/** As a UDP socket is one (loop.ts). */
export interface Link {
  readonly local: { readonly host: string; readonly port: number };
  readonly addresses: LinkPeers;
  readonly counters: UdpCounters;
  /**
   * Whether more should be sent to the peer now, by somebody who can wait; if not, `writable` follows. Left out where only `send` itself can tell. What is sent
   * all the same is taken, but may cost older datagrams.
   */
  takes?(peer: number): boolean;
  /** Most datagrams that are made before `takes` is asked again, where few are better; 1…192. */
  readonly batchDatagrams?: number;
  /** Whether what carries to the peer paces by itself and loses nothing while it lives, as TCP does; false when left out. */
  paces?(peer: number): boolean;
  /** Sends datagrams from…batch.length−1 to their peers; answers the index of the first not taken: `writable` follows. */
  send(batch: Batch, from: number): number;
  close(): void;
}

/** Told what happens on a link, in rounds of its loop. `receive`: the batch is borrowed until the call returns, and may be changed in place. */
export type LinkHandler = UdpHandler;

export interface LinkOptions {
  readonly socketBufferBytes?: Bytes;
  /** Differentiated services code point, 0…63, where the carrier can set it. */
  readonly dscp?: number;
  /** The kernel may split and join datagrams. */
  readonly segmentation?: boolean;
  /** Most peers whose address is remembered. */
  readonly peersMax?: number;
  /** Of a dialled link: where it leaves from. */
  readonly departure?: Departure;
}

/** Makes links of one kind. */
export interface Carrier {
  /** As the user writes it: "udp", "faketcp", … */
  readonly name: string;
  /** The longest datagram that gets through, over a path of 1500 bytes. */
  readonly datagramBytesMax: Bytes;
  /** Its links have to connect before they carry anything, so that a client begins at its start and not with its first connection. */
  readonly connects?: boolean;
  /** A link to one server, whose literal address is given. @throws HostError */
  dial(to: { readonly host: string; readonly port: number }, options: LinkOptions, handler: LinkHandler): Link;
  /** A link of many clients. @throws HostError when the address cannot be had */
  listen(at: { readonly host: string; readonly port: number }, options: LinkOptions, handler: LinkHandler): Link;
}

/** Plain UDP, as kcptun uses it. */
export function udpCarrier(loop: Loop): Carrier {
  return {
    name: "udp",
    // kcptun's own limit: on a path of less, what is longer goes in fragments.
    datagramBytesMax: 1500,
    dial: ({ host }, { departure = {}, ...options }, handler) => {
      const any = host.includes(":") ? "::" : "0.0.0.0";
      return loop.udp({ host: any, port: 0, ...options, ...departure }, handler);
    },
    listen: (at, options, handler) => loop.udp({ ...at, ...options }, handler),
  };
}
