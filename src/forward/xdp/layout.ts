/**
 * The structures of bpf/layout.h, byte for byte: what this process and the program in the kernel read and write together.
 *
 * Offsets are of fields; numbers are little-endian but for addresses and ports, which are in network order. `address`: 16 bytes, IPv4 in mapped form.
 */

export const LISTEN_KEY = { bytes: 20, port: 16 } as const;
export const PLACE_KEY = { bytes: 20, address: 4 } as const;
export const RANGE_KEY = { bytes: 12, place: 4, port: 8, bitsBeforePort: 32 } as const;
export const ACCESS_KEY = { bytes: 24, list: 4, address: 8, bitsBeforeAddress: 32 } as const;
export const ACCESS = { allow: 1, deny: 2 } as const;

export const POLICY = {
  bytes: 88,
  ...{ flags: 0, choice: 4, choices: 8, portFirst: 12, ports: 14, access: 16 },
  /** Each cost u64 and burst u64. */
  ...{ packets: 24, octets: 40, sourcePackets: 56, sourceOctets: 72 },
} as const;
export const POLICY_FLAG = { transparent: 1, access: 2, deny: 4, bySource: 8, limit: 16, sourceLimit: 32 } as const;

export const BACKEND = { bytes: 32, address: 0, port: 16, source: 20, sources: 24 } as const;
export const TITLE = { bytes: 72, nameBytes: 64, idle: 64, ended: 68 } as const;
/** Entries of `forwards` and `choices`: one number, in 8 bytes since memory is mapped so. */
export const INDEX_BYTES = 8;
export const SOURCE_BYTES = 16;

export const HOP = {
  bytes: 48,
  ...{ dmac: 0, smac: 6, ifindex: 12, forward: 16, seen: 20, vlan: 24, mtu: 26, generation: 28, flags: 30, packets: 32, octets: 40 },
} as const;
export const HOP_FLAG = { reply: 1, limit: 2 } as const;

/** Where a flow's key and value have what, by family. */
export interface FlowLayout {
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly addressBytes: number;
  readonly sport: number;
  readonly dport: number;
  readonly daddr: number;
  readonly hop: number;
}

export const FLOW4: FlowLayout = { keyBytes: 12, valueBytes: 64, addressBytes: 4, daddr: 4, sport: 8, dport: 10, hop: 16 };
export const FLOW6: FlowLayout = { keyBytes: 36, valueBytes: 88, addressBytes: 16, daddr: 16, sport: 32, dport: 34, hop: 40 };

export const COUNT = {
  bytes: 64,
  ...{ packets: 0, octets: 8, replyPackets: 16, replyOctets: 24, flows: 32, refused: 40, limited: 48, denied: 56 },
} as const;

/** In the order of `enum reason`; what is counted only, or handed to the kernel, or dropped. */
export const REASONS = [
  ...["none", "other", "short", "fragment", "options", "ttl", "tags", "spoofed", "denied", "budget", "backend", "unroutable", "neighbour"],
  ...["disabled", "ports", "conflict", "full", "limit", "sourceLimit", "tooBig", "zeroChecksum", "icmp", "headroom", "removed"],
] as const;
/** Room for each processor. */
export const REASONS_ROOM = 32;

export const SETTINGS = {
  bytes: 56,
  ...{ now: 0, generation: 4, flags: 8, capture: 12, captureForward: 16, flowRate: 24, answerRate: 40 },
} as const;
export const SETTING_FLAG = { ranges: 1, strict: 2, redirect: 4 } as const;
export const ALL_FORWARDS = 0xffff_ffff;

export const EVENT = { neighbour: 1, capture: 2 } as const;
export const NEIGHBOUR_EVENT = { bytes: 24, ifindex: 4, address: 8 } as const;
export const CAPTURE_EVENT = {
  bytes: 232,
  ...{ ifindex: 4, time: 8, forward: 16, length: 20, captured: 22, reply: 24, data: 32, dataBytes: 192 },
} as const;

/** A rate of so many units a second, with a burst of `burstSeconds`, as `struct rate`: cost in 2^-16 ns, burst in ns. 0: no limit. */
export function rateCost(perSecond: number): bigint {
  return perSecond === 0 ? 0n : (1_000_000_000n << 16n) / BigInt(perSecond);
}

export const BURST_NANOSECONDS = 1_000_000_000n;
