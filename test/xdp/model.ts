/**
 * What the XDP program shall do, said again in plain TypeScript: no incremental checksums, no hash tables of fixed layout, nothing shared with the program but the
 * desired state. Pure.
 *
 * Where the program has a choice (backend by weight, source address and port), the model learns it from the packet that came out, after it has looked whether
 * that choice was allowed.
 */
import { headerSum, same, sum, transportSum } from "./checksum.ts";
import type { Way } from "./world.ts";

export const PASS = 2;
const DROP = 1;
const TX = 3;
const REDIRECT = 4;

/** Addresses are hex. */
export interface ModelForward {
  readonly name: string;
  readonly listens: (address: string, port: number) => boolean;
  readonly backends: readonly { readonly address: string; readonly port: number | undefined }[];
  /** Undefined: transparent. */
  readonly sources: ReadonlySet<string> | undefined;
  readonly ports: { readonly first: number; readonly last: number };
  readonly admits: (client: string) => boolean;
}

interface Ends {
  readonly saddr: string;
  readonly daddr: string;
  readonly sport: number;
  readonly dport: number;
}

interface ModelFlow extends Ends {
  readonly hop: Way;
  readonly forward: string;
}

interface Headers {
  readonly tag: number;
  readonly ip: number;
  readonly version: 4 | 6;
  /** Where what follows IP's headers begins. */
  readonly body: number;
  /** Of a datagram in fragments; `key` is the same for all of them. */
  readonly fragment?: { readonly first: boolean; readonly key: string; readonly protocol: number };
}

export interface ModelOptions {
  readonly forwards: readonly ModelForward[];
  readonly wayTo: (address: string) => Way | undefined;
  /** Back by the interface it came from: redirected, not turned round. */
  readonly redirects: boolean;
}

export class Model {
  /** By the ends of a packet, as text. */
  readonly flows = new Map<string, ModelFlow>();
  /** Flows of datagrams in fragments, and how many first fragments there had been before. */
  readonly #datagrams = new Map<string, { readonly flow: ModelFlow; readonly at: number }>();
  #firsts = 0;
  readonly #options: ModelOptions;

  constructor(options: ModelOptions) {
    this.#options = options;
  }

  /** What is wrong with what became of the frame; undefined: nothing. */
  check(frame: Uint8Array, ifindex: number, verdict: number, out: Uint8Array): string | undefined {
    const headers = readHeaders(frame);
    if (headers === undefined) return passed(frame, verdict, out);
    const { ip, version, body, fragment } = headers;
    const protocol = fragment?.protocol ?? (version === 4 ? frame[ip + 9] : frame[ip + 6]);
    if (fragment === undefined && protocol === (version === 4 ? 1 : 58)) return this.#icmp(frame, headers, ifindex, verdict, out);
    const bytes = lengthOf(frame, headers);
    if (fragment?.first === false) return this.#later(frame, headers, ifindex, verdict, out);
    if (protocol !== 17 || body + 8 > frame.length || bytes < body - ip + 8 || bytes > frame.length - ip)
      return passed(frame, verdict, out);
    if (version === 6 && read16(frame, body + 6) === 0) return passed(frame, verdict, out);
    const ends = endsOf(frame, headers);
    const ttl = frame[ip + (version === 4 ? 8 : 7)]!;
    if (ttl <= 1) return passed(frame, verdict, out);
    const known = this.flows.get(keyOf(ends));
    if (known !== undefined && fragment !== undefined) this.#datagrams.set(fragment.key, { flow: known, at: this.#firsts++ });
    if (known !== undefined) return this.#forwarded(frame, headers, known, ifindex, verdict, out);
    const forward = this.#options.forwards.find(({ listens }) => listens(ends.daddr, ends.dport));
    if (forward === undefined) return passed(frame, verdict, out);
    const back = this.#options.wayTo(ends.saddr);
    const refused =
      impossible(ends) || !forward.admits(ends.saddr) || forward.backends.length === 0 || back === undefined || back.ifindex !== ifindex;
    if (refused) return verdict === DROP ? undefined : `verdict ${verdict} for a packet to be dropped`;
    return this.#opened(frame, headers, ends, forward, back, ifindex, verdict, out);
  }

  /** A fragment without ports: as the first one was. */
  #later(frame: Uint8Array, headers: Headers, ifindex: number, verdict: number, out: Uint8Array): string | undefined {
    const { ip, version, body, fragment } = headers;
    const bytes = lengthOf(frame, headers);
    const ttl = frame[ip + (version === 4 ? 8 : 7)]!;
    if (fragment!.protocol !== 17 || bytes <= body - ip || bytes > frame.length - ip || ttl <= 1) return passed(frame, verdict, out);
    const datagram = this.#datagrams.get(fragment!.key);
    if (datagram === undefined) return passed(frame, verdict, out);
    // The program may have forgotten by then.
    if (this.#firsts - datagram.at > REMEMBERED) return undefined;
    if (bytes > datagram.flow.hop.mtu) return verdict === DROP ? undefined : `verdict ${verdict} for a fragment that is too big`;
    return this.#forwarded(frame, headers, datagram.flow, ifindex, verdict, out);
  }

  /** Learns source and backend, looks whether they were allowed, then at the packet. */
  #opened(
    frame: Uint8Array,
    headers: Headers,
    ends: Ends,
    forward: ModelForward,
    back: Way,
    ifindex: number,
    verdict: number,
    out: Uint8Array,
  ): string | undefined {
    const bytes = lengthOf(frame, headers);
    const candidates = forward.backends.map(({ address }) => this.#options.wayTo(address)!);
    const mtu = Math.min(...candidates.map((way) => way.mtu));
    // The flow is there then, but no packet of it came out to learn from: the next one is the first.
    if (bytes > mtu) return this.#tooBig(frame, headers, mtu, ifindex, verdict, out);
    if (verdict !== REDIRECT && verdict !== TX) return `verdict ${verdict} for the first packet of a flow of ${forward.name}`;
    const seen = readHeaders(out);
    if (seen === undefined) return "what came out is no packet";
    const after = endsOf(out, seen);
    const backend = forward.backends.find(({ address, port }) => address === after.daddr && (port ?? ends.dport) === after.dport);
    if (backend === undefined) return `${after.daddr}:${after.dport} is no backend of ${forward.name}`;
    if (forward.sources === undefined) {
      if (after.saddr !== ends.saddr || after.sport !== ends.sport) return "transparent, but the source was changed";
    } else if (!forward.sources.has(after.saddr) || after.sport < forward.ports.first || after.sport > forward.ports.last) {
      return `${after.saddr}:${after.sport} is no source of ${forward.name}`;
    }
    const reverse = keyOf({ saddr: after.daddr, daddr: after.saddr, sport: after.dport, dport: after.sport });
    if (this.flows.has(reverse)) return `${reverse} has two flows`;
    const hop = this.#options.wayTo(after.daddr)!;
    this.flows.set(keyOf(ends), { ...after, hop, forward: forward.name });
    const returns = back.resolved ? back : { ...back, dmac: macOf(frame, 6) };
    this.flows.set(reverse, {
      saddr: ends.daddr,
      daddr: ends.saddr,
      sport: ends.dport,
      dport: ends.sport,
      hop: returns,
      forward: forward.name,
    });
    const { fragment } = headers;
    if (fragment !== undefined) this.#datagrams.set(fragment.key, { flow: this.flows.get(keyOf(ends))!, at: this.#firsts++ });
    return this.#forwarded(frame, headers, this.flows.get(keyOf(ends))!, ifindex, verdict, out);
  }

  #forwarded(frame: Uint8Array, headers: Headers, flow: ModelFlow, ifindex: number, verdict: number, out: Uint8Array): string | undefined {
    if (lengthOf(frame, headers) > flow.hop.mtu) return this.#tooBig(frame, headers, flow.hop.mtu, ifindex, verdict, out);
    const { ip, version, fragment } = headers;
    const wanted = retagged(frame, headers, flow.hop);
    const at = 14 + (flow.hop.tag === 0 ? 0 : 4);
    const body = at + headers.body - ip;
    putEnds(wanted, at, version, flow);
    wanted[at + (version === 4 ? 8 : 7)]!--;
    const isLater = fragment?.first === false;
    if (!isLater) {
      write16(wanted, body, flow.sport);
      write16(wanted, body + 2, flow.dport);
    }
    const length = lengthOf(frame, headers) - (version === 4 ? 20 : 40);
    const problem =
      this.#sent(flow.hop, ifindex, verdict) ??
      (version === 4 ? carried("IP", wanted, out, at + 10, headerSum(frame, ip), () => headerSum(out, at)) : undefined);
    if (isLater) return problem ?? difference(wanted, out);
    const checked =
      problem ??
      udpCarried(
        wanted,
        out,
        body + 6,
        () => transportSum(frame, ip, version, 17, length),
        () => transportSum(out, at, version, 17, length),
        read16(frame, headers.body + 6),
      );
    return checked ?? difference(wanted, out);
  }

  #icmp(frame: Uint8Array, headers: Headers, ifindex: number, verdict: number, out: Uint8Array): string | undefined {
    const { ip, version } = headers;
    const header = version === 4 ? 20 : 40;
    const [body, inner] = [ip + header, ip + header + 8];
    if (inner + header + 8 > frame.length) return passed(frame, verdict, out);
    const type = frame[body]!;
    const isError = version === 4 ? type === 3 || type === 11 || type === 12 : type >= 1 && type <= 4;
    const innerIp =
      version === 4
        ? frame[inner] === 0x45 && frame[inner + 9] === 17 && (read16(frame, inner + 6) & 0x3fff) === 0
        : frame[inner]! >> 4 === 6 && frame[inner + 6] === 17;
    if (!isError || !innerIp) return passed(frame, verdict, out);
    const about = endsOf(frame, { tag: 0, ip: inner, version, body: inner + header });
    const flow = this.flows.get(keyOf({ saddr: about.daddr, daddr: about.saddr, sport: about.dport, dport: about.sport }));
    if (flow === undefined || frame[ip + (version === 4 ? 8 : 7)]! <= 1) return passed(frame, verdict, out);
    const wanted = retagged(frame, headers, flow.hop);
    const shift = 14 + (flow.hop.tag === 0 ? 0 : 4) - ip;
    const [at, innerAt] = [ip + shift, inner + shift];
    putEnds(wanted, at, version, flow);
    wanted[at + (version === 4 ? 8 : 7)]!--;
    putEnds(wanted, innerAt, version, { saddr: flow.daddr, daddr: flow.saddr });
    write16(wanted, innerAt + header, flow.dport);
    write16(wanted, innerAt + header + 2, flow.sport);
    // The quoted datagram is cut: its checksum is right for what is not there, and must be as far off as it was.
    const udp = innerAt + header;
    const quoted = Math.max(0, Math.min(frame.length, out.length - shift) - inner - header);
    const pseudo = (bytes: Uint8Array, start: number): number => transportSum(bytes, start, version, 17, quoted);
    const icmpSum = (bytes: Uint8Array, start: number): number =>
      version === 4 ? sum(bytes, start + 20, bytes.length) : transportSum(bytes, start, 6, 58, bytes.length - start - 40);
    const problem =
      this.#sent(flow.hop, ifindex, verdict) ??
      (version === 4 ? carried("IP", wanted, out, at + 10, headerSum(frame, ip), () => headerSum(out, at)) : undefined) ??
      (version === 4
        ? carried("quoted IP", wanted, out, innerAt + 10, headerSum(frame, inner), () => headerSum(out, innerAt))
        : undefined) ??
      udpCarried(
        wanted,
        out,
        udp + 6,
        () => pseudo(frame, inner),
        () => pseudo(out, innerAt),
        read16(frame, inner + header + 6),
        version === 6,
      ) ??
      carried("ICMP", wanted, out, body + shift + 2, icmpSum(frame, ip), () => icmpSum(out, at));
    return problem ?? difference(wanted, out);
  }

  /** The error that the program makes itself. */
  #tooBig(
    frame: Uint8Array,
    { tag, ip, version }: Headers,
    mtu: number,
    ifindex: number,
    verdict: number,
    out: Uint8Array,
  ): string | undefined {
    const header = version === 4 ? 20 : 40;
    const quoted = header + 8;
    const wanted = new Uint8Array(ip + header + 8 + quoted);
    wanted.set(frame.subarray(6, 12), 0);
    wanted.set(frame.subarray(0, 6), 6);
    wanted.set(frame.subarray(12, ip), 12);
    wanted.set(frame.subarray(ip, ip + quoted), ip + header + 8);
    const ends = endsOf(frame, { tag, ip, version, body: ip + header });
    wanted[ip] = version === 4 ? 0x45 : 0x60;
    if (version === 4) {
      write16(wanted, ip + 2, header + 8 + quoted);
      write16(wanted, ip + 6, 0x4000);
      wanted.set([64, 1], ip + 8);
    } else {
      write16(wanted, ip + 4, 8 + quoted);
      wanted.set([58, 64], ip + 6);
    }
    putEnds(wanted, ip, version, { saddr: ends.daddr, daddr: ends.saddr });
    wanted.set(version === 4 ? [3, 4] : [2, 0], ip + header);
    write16(wanted, ip + header + 6, mtu);
    const icmp = (bytes: Uint8Array): number =>
      version === 4 ? sum(bytes, ip + 20, bytes.length) : transportSum(bytes, ip, 6, 58, 8 + quoted);
    if (version === 4) write16(wanted, ip + 10, 0xffff - headerSum(wanted, ip));
    write16(wanted, ip + header + 2, 0xffff - icmp(wanted));
    const expected = this.#options.redirects ? REDIRECT : TX;
    if (verdict !== expected) return `verdict ${verdict} for a packet that is too big, ${expected} was expected (interface ${ifindex})`;
    return difference(wanted, out);
  }

  #sent(hop: Way, ifindex: number, verdict: number): string | undefined {
    const expected = hop.ifindex === ifindex && !this.#options.redirects ? TX : REDIRECT;
    return verdict === expected ? undefined : `verdict ${verdict}, ${expected} was expected`;
  }
}

function readHeaders(frame: Uint8Array): Headers | undefined {
  if (frame.length < 14) return undefined;
  let type = read16(frame, 12);
  let ip = 14;
  let tag = 0;
  if (type === 0x8100) {
    if (frame.length < 18) return undefined;
    tag = read16(frame, 14) & 0xfff;
    type = read16(frame, 16);
    ip = 18;
    if (tag === 0) return undefined;
  }
  if (type === 0x0800) {
    if (frame.length < ip + 20 || frame[ip] !== 0x45) return undefined;
    const headers = { tag, ip, version: 4, body: ip + 20 } as const;
    const offset = read16(frame, ip + 6);
    if ((offset & 0x3fff) === 0) return headers;
    const key = hexOf(frame, ip + 12, ip + 20) + hexOf(frame, ip + 4, ip + 6);
    return { ...headers, fragment: { first: (offset & 0x1fff) === 0, key, protocol: frame[ip + 9]! } };
  }
  if (type !== 0x86dd || frame.length < ip + 40 || frame[ip]! >> 4 !== 6) return undefined;
  if (frame[ip + 6] !== 44) return { tag, ip, version: 6, body: ip + 40 };
  if (frame.length < ip + 48) return undefined;
  const key = hexOf(frame, ip + 8, ip + 40) + hexOf(frame, ip + 44, ip + 48);
  return {
    tag,
    ip,
    version: 6,
    body: ip + 48,
    fragment: { first: (read16(frame, ip + 42) & 0xfff8) === 0, key, protocol: frame[ip + 40]! },
  };
}

/** Of the IP packet, as its header says. */
function lengthOf(frame: Uint8Array, { ip, version }: Headers): number {
  return version === 4 ? read16(frame, ip + 2) : read16(frame, ip + 4) + 40;
}

function endsOf(frame: Uint8Array, { ip, version, body }: Headers): Ends {
  const [from, to, end] = version === 4 ? [ip + 12, ip + 16, ip + 20] : [ip + 8, ip + 24, ip + 40];
  return { saddr: hexOf(frame, from, to), daddr: hexOf(frame, to, end), sport: read16(frame, body), dport: read16(frame, body + 2) };
}

function putEnds(frame: Uint8Array, ip: number, version: 4 | 6, { saddr, daddr }: Pick<Ends, "saddr" | "daddr">): void {
  frame.set(Buffer.from(saddr + daddr, "hex"), ip + (version === 4 ? 12 : 8));
}

/** The frame with the hop's MACs and tag. */
function retagged(frame: Uint8Array, { ip, version }: Headers, hop: Way): Uint8Array {
  const tag = hop.tag === 0 ? "" : `8100${hop.tag.toString(16).padStart(4, "0")}`;
  const link = Buffer.from(`${hop.dmac}${hop.smac}${tag}${version === 4 ? "0800" : "86dd"}`, "hex");
  return Buffer.concat([link, frame.subarray(ip)]);
}

/** First fragments; the program's table has room for more. */
const REMEMBERED = 4000;

function passed(frame: Uint8Array, verdict: number, out: Uint8Array): string | undefined {
  return verdict === PASS ? difference(frame, out) : `verdict ${verdict} for a packet of the kernel's`;
}

/** A checksum of what changed is as right, or as wrong by as much, as it was: then what came out is what was wanted. */
function carried(what: string, wanted: Uint8Array, out: Uint8Array, at: number, before: number, after: () => number): string | undefined {
  if (out.length !== wanted.length) return `${out.length} bytes came out, ${wanted.length} were expected`;
  const now = after();
  if (!same(before, now)) return `the checksum of ${what} was summed to ${before} and is to ${now}`;
  write16(wanted, at, read16(out, at));
  return undefined;
}

function udpCarried(
  wanted: Uint8Array,
  out: Uint8Array,
  at: number,
  before: () => number,
  after: () => number,
  given: number,
  always = false,
): string | undefined {
  if (given === 0 && !always) return undefined;
  if (out.length > at && read16(out, at) === 0) return "UDP's checksum became none";
  return carried("UDP", wanted, out, at, before(), after);
}

function difference(wanted: Uint8Array, out: Uint8Array): string | undefined {
  if (wanted.length !== out.length) return `${out.length} bytes came out, ${wanted.length} were expected`;
  for (let i = 0; i < wanted.length; i++) if (wanted[i] !== out[i]) return `byte ${i} is ${out[i]}, ${wanted[i]} was expected`;
  return undefined;
}

function impossible({ saddr, sport }: Ends): boolean {
  if (sport === 0) return true;
  const first = Number.parseInt(saddr.slice(0, 2), 16);
  if (saddr.length === 8) return first === 0 || first === 127 || first >= 224;
  return first === 255 || saddr.startsWith("0000000000000000") || (Number.parseInt(saddr.slice(0, 4), 16) & 0xffc0) === 0xfe80;
}

function keyOf({ saddr, daddr, sport, dport }: Ends): string {
  return `${saddr} ${sport} ${daddr} ${dport}`;
}

function hexOf(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString("hex");
}

function macOf(frame: Uint8Array, at: number): string {
  return hexOf(frame, at, at + 6);
}

export function read16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

export function write16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value & 255;
}
