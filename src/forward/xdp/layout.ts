/**
 * The structures of bpf/layout.h, byte for byte: what this process and the program in the kernel read and write together.
 *
 * Offsets are of fields; numbers are little-endian but for addresses and ports, which are in network order. `address`: 16 bytes, IPv4 in mapped form.
 */

/** The address is at 0. */
export const LISTENER = { bytes: 32, port: 16, forward: 20 } as const;
export const LISTENER_PROBES = 128;
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
export const POLICY_FLAG = { transparent: 1, access: 2, deny: 4, bySource: 8, limit: 16, sourceLimit: 32, single: 64, sip: 128 } as const;

export const BACKEND = { bytes: 32, address: 0, port: 16, source: 20, sources: 24 } as const;
export const TITLE = {
  bytes: 104,
  ...{ nameBytes: 64, idle: 64 },
  /** Four of 64 bits, of flows that ended: packets, octets, and those of answers. */
  ended: 72,
} as const;
/** Entries of `forwards` and `choices`: one number, in 8 bytes since memory is mapped so. */
export const INDEX_BYTES = 8;
export const SOURCE_BYTES = 16;

export const DEVICE = { bytes: 16, mac: 0, vlan: 6, ifindex: 8, number: 12 } as const;

/** `packets`: 46 bits, above them 18 of the collector's clock; `forward`: 24 bits, above them flags. */
export const HOP = {
  bytes: 32,
  ...{ dmac: 0, device: 6, forward: 8, mtu: 12, generation: 14, octets: 16, packets: 24 },
  ...{ forwardBits: 24, seenBits: 18 },
} as const;
/** Above the forward's number. */
export const HOP_FLAG = { reply: 1, limit: 2, sip: 4 } as const;

/** As `enum place_state`. */
export const PLACE = { empty: 0, live: 1, dead: 2, resting: 3, free: 4, freeToo: 5, busy: 0x8000_0000 } as const;
export const PROBES = 64;

/** Where a flow has what, by family. The key is at 0: addresses, then ports at `ports`, directly before the state. */
export interface FlowLayout {
  readonly bytes: number;
  readonly addressBytes: number;
  readonly ports: number;
  readonly state: number;
  /** Addresses and ports that the packet gets, as the key has them. */
  readonly after: number;
  readonly hop: number;
}

export const FLOW4: FlowLayout = { bytes: 64, addressBytes: 4, ports: 8, state: 12, after: 16, hop: 32 };
export const FLOW6: FlowLayout = { bytes: 128, addressBytes: 16, ports: 32, state: 36, after: 40, hop: 80 };

/** What went nowhere; what was forwarded is counted in flows. */
export const COUNT = { bytes: 32, ...{ refused: 0, limited: 8, denied: 16 } } as const;

/** In the order of `enum reason`; what is counted only, or handed to the kernel, or dropped. */
export const REASONS = [
  ...["none", "other", "short", "fragment", "options", "ttl", "tags", "spoofed", "denied", "budget", "backend", "unroutable", "neighbour"],
  ...[
    "disabled",
    "ports",
    "conflict",
    "full",
    "limit",
    "sourceLimit",
    "tooBig",
    "zeroChecksum",
    "icmp",
    "headroom",
    "removed",
    "uncaptured",
  ],
] as const;
/** Room for each processor. */
export const REASONS_ROOM = 32;

export const SETTINGS = {
  bytes: 72,
  ...{ now: 0, generation: 4, flags: 8, capture: 12, captureForward: 16, flowRate: 24, answerRate: 40, seed: 56, used4: 64, used6: 68 },
} as const;
export const SETTING_FLAG = { ranges: 1, strict: 2, redirect: 4, whole: 8 } as const;
export const ALL_FORWARDS = 0xffff_ffff;

export const EVENT = { neighbour: 1, capture: 2, sip: 3 } as const;
export const NEIGHBOUR_EVENT = { bytes: 24, ifindex: 4, address: 8 } as const;
/** The frame is behind it. */
export const CAPTURE_EVENT = {
  bytes: 48,
  ...{ ifindex: 4, time: 8, forward: 16, length: 20, captured: 22, to: 24, toPort: 40, reply: 42 },
  /** Most of the frame when only headers are wanted. */
  headerBytes: 280,
} as const;

/** A rate of so many units a second, with a burst of `burstSeconds`, as `struct rate`: cost in 2^-16 ns, burst in ns. 0: no limit. */
export function rateCost(perSecond: number): bigint {
  return perSecond === 0 ? 0n : (1_000_000_000n << 16n) / BigInt(perSecond);
}

export const BURST_NANOSECONDS = 1_000_000_000n;
