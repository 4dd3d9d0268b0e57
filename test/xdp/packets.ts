/** Packets as networks and attackers make them, from a seed: most of them ordinary, each kind of odd one often enough. */
import type { Prng } from "../../src/base/prng.ts";
import { headerSum, transportSum } from "./checksum.ts";
import { write16 } from "./model.ts";

export interface Ends {
  readonly saddr: string;
  readonly daddr: string;
  readonly sport: number;
  readonly dport: number;
}

export interface PacketOptions {
  readonly tag?: number;
  readonly ttl?: number;
  readonly payload: number;
}

const LINK = "0200000000aa0200000000bb";

/** A right UDP packet. */
export function udpFrame(random: Prng, { saddr, daddr, sport, dport }: Ends, { tag = 0, ttl = 64, payload }: PacketOptions): Uint8Array {
  const version = saddr.length === 8 ? 4 : 6;
  const ip = tag === 0 ? 14 : 18;
  const header = version === 4 ? 20 : 40;
  const frame = new Uint8Array(ip + header + 8 + payload);
  const type = version === 4 ? "0800" : "86dd";
  frame.set(Buffer.from(LINK + (tag === 0 ? type : `8100${tag.toString(16).padStart(4, "0")}${type}`), "hex"));
  const addresses = Buffer.from(saddr + daddr, "hex");
  if (version === 4) {
    frame.set([0x45, random.u32() & 0xfc], ip);
    write16(frame, ip + 2, header + 8 + payload);
    write16(frame, ip + 4, random.u32() & 0xffff);
    write16(frame, ip + 6, 0x4000);
    frame.set([ttl, 17], ip + 8);
    frame.set(addresses, ip + 12);
    write16(frame, ip + 10, 0xffff - headerSum(frame, ip));
  } else {
    frame.set([0x60, random.u32() & 0xff], ip);
    write16(frame, ip + 4, 8 + payload);
    frame.set([17, ttl], ip + 6);
    frame.set(addresses, ip + 8);
  }
  const udp = ip + header;
  write16(frame, udp, sport);
  write16(frame, udp + 2, dport);
  write16(frame, udp + 4, 8 + payload);
  for (let i = 0; i < payload; i++) frame[udp + 8 + i] = random.u32();
  const check = 0xffff - transportSum(frame, ip, version, 17, 8 + payload);
  write16(frame, udp + 6, check === 0 ? 0xffff : check);
  return frame;
}

/** A datagram in two fragments. */
export function fragmentFrames(random: Prng, ends: Ends, options: PacketOptions): [first: Uint8Array, later: Uint8Array] {
  const whole = udpFrame(random, ends, { ...options, payload: 24 + (random.u32() % 40) });
  const ip = (options.tag ?? 0) === 0 ? 14 : 18;
  const four = ends.saddr.length === 8;
  const body = ip + (four ? 20 : 40);
  const id = random.u32();
  const part = (from: number, to: number): Uint8Array => {
    const header = four ? 0 : 8;
    const frame = new Uint8Array(body + header + to - from);
    frame.set(whole.subarray(0, body));
    frame.set(whole.subarray(body + from, body + to), body + header);
    const more = to < whole.length - body ? 1 : 0;
    if (four) {
      write16(frame, ip + 2, frame.length - ip);
      write16(frame, ip + 4, id & 0xffff);
      write16(frame, ip + 6, (more << 13) | (from >> 3));
      write16(frame, ip + 10, 0);
      write16(frame, ip + 10, 0xffff - headerSum(frame, ip));
    } else {
      write16(frame, ip + 4, frame.length - body);
      frame[ip + 6] = 44;
      frame.set([17, 0], body);
      write16(frame, body + 2, from | more);
      write16(frame, body + 4, id >>> 16);
      write16(frame, body + 6, id & 0xffff);
    }
    return frame;
  };
  return [part(0, 16), part(16, whole.length - body)];
}

/** An ICMP error about a packet from `about.saddr` to `about.daddr`, made by `router`. */
export function icmpFrame(random: Prng, about: Ends, router: string, { tag = 0, ttl = 64, payload }: PacketOptions): Uint8Array {
  const version = about.saddr.length === 8 ? 4 : 6;
  const header = version === 4 ? 20 : 40;
  const inner = udpFrame(random, about, { payload, ttl: 3 }).subarray(14);
  const quoted = inner.subarray(0, Math.min(inner.length, header + 8 + (random.u32() % 40)));
  const outer = udpFrame(random, { saddr: router, daddr: about.saddr, sport: 0, dport: 0 }, { tag, ttl, payload: quoted.length });
  const ip = tag === 0 ? 14 : 18;
  const body = ip + header;
  const types = version === 4 ? [3, 3, 11, 12, 8, 0, 5] : [1, 2, 3, 4, 128, 135];
  outer[ip + (version === 4 ? 9 : 6)] = version === 4 ? 1 : 58;
  outer.set([types[random.u32() % types.length]!, random.u32() % 5, 0, 0, 0, 0, 5, 0xdc], body);
  outer.set(quoted, body + 8);
  if (version === 4) {
    write16(outer, ip + 10, 0);
    write16(outer, ip + 10, 0xffff - headerSum(outer, ip));
  }
  const length = 8 + quoted.length;
  // IPv4's ICMP has no pseudo header: its sum is taken off again.
  const frame = outer;
  let total = transportSum(frame, ip, version, 58, length);
  if (version === 4) {
    total = 0;
    for (let i = body; i < frame.length; i += 2) total += (frame[i]! << 8) | (frame[i + 1] ?? 0);
    while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  }
  write16(frame, body + 2, 0xffff - total);
  return frame;
}

/** One of many ways in which a packet can be odd; most leave it a packet of the same flow. */
export function spoil(random: Prng, frame: Uint8Array): Uint8Array {
  const ip = frame[12] === 0x81 ? 18 : 14;
  const four = frame[ip]! >> 4 === 4;
  const udp = ip + (four ? 20 : 40);
  const at = (offset: number, value: number): void => {
    if (offset < frame.length) frame[offset] = value;
  };
  switch (random.u32() % 16) {
    case 0:
      at(four ? ip + 10 : udp + 6, random.u32());
      break;
    case 1:
      at(udp + 6, random.u32());
      break;
    case 2:
      at(udp + 6, 0);
      at(udp + 7, 0);
      break;
    case 3:
      at(ip + (four ? 8 : 7), random.u32() % 3);
      break;
    case 4:
      return frame.subarray(0, 14 + (random.u32() % (frame.length - 13)));
    case 5:
      at(ip, four ? 0x46 + (random.u32() % 10) : random.u32());
      break;
    case 6:
      // More fragments, an offset, or what must be zero.
      if (four) at(ip + 6, random.u32());
      else at(ip + 6, [0, 43, 44, 60, 51][random.u32() % 5]!);
      break;
    case 7:
      at(ip + (four ? 9 : 6), random.u32());
      break;
    case 8:
      at(ip + (four ? 2 : 4), random.u32());
      break;
    case 9:
      at(ip + (four ? 3 : 5), random.u32());
      break;
    case 10:
      at(12, random.u32());
      break;
    case 11: {
      const tagged = new Uint8Array(frame.length + 4);
      tagged.set(frame.subarray(0, 12));
      tagged.set([random.u32() & 1 ? 0x81 : 0x88, random.u32() & 1 ? 0 : 0xa8, random.u32() & 0x0f, random.u32()], 12);
      tagged.set(frame.subarray(12), 16);
      return tagged;
    }
    case 12: {
      // Behind the IP packet: Ethernet's padding.
      const padded = new Uint8Array(frame.length + (random.u32() % 30));
      padded.set(frame);
      return padded;
    }
    case 13:
      at(udp + 4 + (random.u32() & 1), random.u32());
      break;
    case 14:
      at(random.u32() % frame.length, random.u32());
      break;
    default:
      if (frame[12] === 0x81) at(14, random.u32());
      break;
  }
  return frame;
}
