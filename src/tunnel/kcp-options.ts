/** How a session's KCP is set up, by the tunnel's options. */
import type { Bytes } from "../base/units.ts";
import { FecEncoder } from "../fec/encoder.ts";
import type { KcpOptions } from "../kcp/options.ts";
import { HEADER_BYTES } from "../kcp/segment.ts";
import type { TunnelConfig } from "./config.ts";
import { tuningOf } from "./mode.ts";

/** Room before a KCP packet in its slot, for the FEC and cipher headers (at most 8 + 20 bytes). */
export const HEADROOM = 64;

/** Ciphers that write before a datagram and leave it as it is, so that it may lie where KCP keeps the data. */
const LEAVES_BODIES: readonly string[] = ["none", "null"];

/** Datagrams of whole blocks, unless they are tiny: joined by the kernel, they are decrypted as one text (cipher/cfb-kernel.ts). */
const BLOCK_BYTES = 16;
const WHOLE_FROM = 256;

function wholeBlocks(mtu: Bytes): Bytes {
  return mtu < WHOLE_FROM ? mtu : mtu - (mtu % BLOCK_BYTES);
}

/** Datagrams are FEC's. */
export function protects({ datashard, parityshard }: TunnelConfig): boolean {
  return datashard > 0 && parityshard > 0;
}

/** `cipherBytes`: what the cipher adds to a datagram. */
export function kcpOptions(conv: number, config: TunnelConfig, cipherBytes: Bytes): KcpOptions {
  const { mtu, sndwnd, rcvwnd, compat, acknodelay, crypt } = config;
  const { nodelay, interval, resend, nc } = tuningOf(config as Parameters<typeof tuningOf>[0]);
  return {
    ...{ nodelay, interval, resend, nc },
    conv,
    mtu: wholeBlocks(mtu) - cipherBytes - (protects(config) ? FecEncoder.headBytes : 0),
    sndWnd: sndwnd,
    rcvWnd: rcvwnd,
    profile: compat,
    ackNoDelay: acknodelay,
    headroom: LEAVES_BODIES.includes(crypt) ? HEADROOM - HEADER_BYTES : undefined,
  };
}
