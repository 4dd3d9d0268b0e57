/**
 * The kernel's filter in front of a raw socket: a classic BPF program that lets through nothing but the packets of one raw connection's port, so that the
 * process is not woken by all others.
 *
 *   instruction   code u16 · jump if true u8 · jump if false u8 · k u32        8 bytes
 *
 * Offsets count from the IP header (SKF_NET_OFF), whatever link header stands before it. Source: filter(7) in the kernel's
 * Documentation/networking/filter.rst; reference udp2raw.md section 5.7.
 */

export interface PacketFilter {
  /** 4 or 6. */
  readonly version: 4 | 6;
  /** IP's number of the protocol: 6, 17, 1, 58. */
  readonly protocol: number;
  /** Destination port, or the id of an echo; undefined: any. */
  readonly port?: number;
  /** ICMP: the type. */
  readonly icmpType?: number;
}

export interface Instruction {
  readonly code: number;
  readonly whenTrue: number;
  readonly whenFalse: number;
  readonly k: number;
}

/** Lets nothing through: for the moment between a socket's creation and its filter. */
export const NOTHING: readonly Instruction[] = [{ code: 0x06, whenTrue: 0, whenFalse: 0, k: 0 }];

/** Our own packets come by as well, where they leave. */
export function packetFilter({ version, protocol, port, icmpType }: PacketFilter): readonly Instruction[] {
  const tests: Test[] = [{ load: LOAD_BYTE, at: PACKET_TYPE, jump: JUMP_EQUAL, k: PACKET_OUTGOING, wanted: false }];
  // BPF_ABS and BPF_IND are one bit each.
  const transport = version === 4 ? ABSOLUTE ^ INDIRECT : 0;
  const base = version === 4 ? NETWORK : NETWORK + IPV6_BYTES;
  if (version === 4) {
    tests.push({ load: LOAD_BYTE, at: NETWORK + 9, jump: JUMP_EQUAL, k: protocol, wanted: true });
    tests.push({ load: LOAD_HALF, at: NETWORK + 6, jump: JUMP_SET, k: FRAGMENT, wanted: false });
  } else tests.push({ load: LOAD_BYTE, at: NETWORK + 6, jump: JUMP_EQUAL, k: protocol, wanted: true });
  const icmp = protocol === 1 || protocol === 58;
  if (icmp && icmpType !== undefined) {
    tests.push({ load: LOAD_BYTE ^ transport, at: base, jump: JUMP_EQUAL, k: icmpType, wanted: true });
  }
  // An echo's id lies two bytes behind where a destination port would be.
  if (port !== undefined) tests.push({ load: LOAD_HALF ^ transport, at: base + (icmp ? 4 : 2), jump: JUMP_EQUAL, k: port, wanted: true });
  return assemble(tests, version === 4);
}

/** IPv4 and IPv6: the source port, or an echo's id, modulo 64, for PACKET_FANOUT, which takes it modulo the number of sockets. */
export function spreadByPort(): readonly Instruction[] {
  const step = (code: number, k: number, whenTrue = 0, whenFalse = 0): Instruction => ({ code, whenTrue, whenFalse, k });
  return [
    step(LOAD_BYTE, NETWORK),
    step(ALU_AND, 0xf0),
    step(JUMP_EQUAL, 0x60, 4, 0),
    step(LOAD_HEADER_LENGTH, NETWORK),
    step(LOAD_BYTE, NETWORK + 9),
    step(JUMP_EQUAL, 1, 6, 0),
    step(JUMP_ALWAYS, 3),
    step(LOAD_X, IPV6_BYTES),
    step(LOAD_BYTE, NETWORK + 6),
    step(JUMP_EQUAL, 58, 2, 0),
    step(LOAD_HALF ^ ABSOLUTE ^ INDIRECT, NETWORK),
    step(JUMP_ALWAYS, 1),
    step(LOAD_HALF ^ ABSOLUTE ^ INDIRECT, NETWORK + 4),
    step(ALU_AND, LANES - 1),
    step(RETURN_A, 0),
  ];
}

/** Ports that are alike modulo this come to the same thread. */
export const LANES = 64;

interface Test {
  readonly load: number;
  readonly at: number;
  readonly jump: number;
  readonly k: number;
  readonly wanted: boolean;
}

/** Each test loads and compares, and leaves for the end when it fails. */
function assemble(tests: readonly Test[], measured: boolean): readonly Instruction[] {
  const program: Instruction[] = measured ? [{ code: LOAD_HEADER_LENGTH, whenTrue: 0, whenFalse: 0, k: NETWORK }] : [];
  tests.forEach(({ load, at, jump, k, wanted }, i) => {
    program.push({ code: load, whenTrue: 0, whenFalse: 0, k: at });
    // Behind this jump: two instructions of each test that is left, then ACCEPT, then REFUSE.
    const refuse = (tests.length - 1 - i) * 2 + 1;
    program.push({ code: jump, whenTrue: wanted ? 0 : refuse, whenFalse: wanted ? refuse : 0, k });
  });
  program.push({ code: RETURN, whenTrue: 0, whenFalse: 0, k: 0xffff }, { code: RETURN, whenTrue: 0, whenFalse: 0, k: 0 });
  return program;
}

/** BPF_LD | BPF_B or BPF_H | BPF_ABS; with BPF_IND the offset counts from X. */
const LOAD_BYTE = 0x30;
const LOAD_HALF = 0x28;
const ABSOLUTE = 0x20;
const INDIRECT = 0x40;
/** BPF_LDX | BPF_B | BPF_MSH: X = 4 × the low half of the byte. */
const LOAD_HEADER_LENGTH = 0xb1;
const JUMP_EQUAL = 0x15;
const JUMP_SET = 0x45;
const JUMP_ALWAYS = 0x05;
const RETURN = 0x06;
const RETURN_A = 0x16;
/** BPF_ALU | BPF_AND | BPF_K; BPF_LDX | BPF_IMM. */
const ALU_AND = 0x54;
const LOAD_X = 0x01;
/** SKF_AD_OFF + SKF_AD_PKTTYPE: not a byte of the packet but where it goes. */
const PACKET_TYPE = 0xfffff004;
const PACKET_OUTGOING = 4;
/** SKF_NET_OFF, −0x100000: where the IP header begins. */
const NETWORK = 0xfff00000;
const FRAGMENT = 0x1fff;
const IPV6_BYTES = 40;
