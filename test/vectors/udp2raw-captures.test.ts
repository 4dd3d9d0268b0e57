/**
 * Whole sessions of the real udp2raw as they were on the wire, from the Ethernet frame to the datagram inside: every header is read and written again bit for
 * bit, every packet opened, and every datagram that was sent is found with its content.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DATAGRAM_HEADER_BYTES, readIcmp, readUdp, writeIcmp, writeUdp } from "../../src/faketcp/datagram-header.ts";
import { ICMP, ICMPV6, type IpPacket, pseudoHeader, readIp, TCP, UDP, writeIp } from "../../src/faketcp/ip-header.ts";
import { deriveKeys, passwordOf } from "../../src/faketcp/keys.ts";
import { DATA, readBare, readSafer, type Safer } from "../../src/faketcp/packet.ts";
import { Seal } from "../../src/faketcp/seal.ts";
import { readTcp, type TcpHeader, writeTcp } from "../../src/faketcp/tcp-header.ts";
import { crc32, faketcpPrimitives } from "../../src/host/faketcp-crypto.ts";
import { framesOf } from "./pcap.ts";
import { readVector, readVectorBytes, vectorsMissing } from "./read.ts";
import type { KnownSession } from "./udp2raw.ts";

interface Manifest {
  readonly payloads: { readonly c2s_lengths: readonly number[]; readonly s2c_lengths: readonly number[] };
  readonly sessions: readonly Capture[];
}

interface Capture {
  readonly name: string;
  readonly pcap: string;
  readonly raw_mode: "faketcp" | "easyfaketcp" | "icmp" | "udp";
  readonly cipher_mode: KnownSession["cipher_mode"];
  readonly auth_mode: KnownSession["auth_mode"];
  readonly key: string;
  readonly extra_args: readonly string[];
  readonly server_ip: string;
  readonly udp_sources: number;
}

const ETHERNET_BYTES = 14;
const ip: IpPacket = { start: 0, end: 0, protocol: 0, addressBytes: 0, sourceAt: 0, destinationAt: 0 };
const tcp: TcpHeader = { sourcePort: 0, destinationPort: 0, seq: 0, ack: 0, flags: 0, window: 0, tsval: 0, tsecr: 0 };
const udp = { sourcePort: 0, destinationPort: 0 };
const icmp = { type: 0, id: 0, seq: 0 };
const bare = { sender: 0, receiver: 0, constant: 0 };
const safer: Safer = { sender: 0, receiver: 0, seqHigh: 0, seqLow: 0, type: 0, roller: 0, conversation: 0 };

interface Totals {
  packets: number;
  opened: number;
  unopened: number;
  readonly up: Map<string, number>;
  readonly down: Map<string, number>;
}

for (const protocol of ["faketcp", "easyfaketcp", "icmp", "udp"] as const) {
  test(`captures of udp2raw in mode ${protocol}`, { skip: vectorsMissing }, () => {
    const manifest = readVector<Manifest>("udp2raw/manifest.json");
    const captures = manifest.sessions.filter(({ raw_mode: mode, name }) => mode === protocol && !name.startsWith("bulk"));
    assert.ok(captures.length > 0);
    for (const capture of captures) {
      const totals = read(capture);
      // In easy mode the kernels acknowledge every packet themselves, with nothing inside.
      assert.equal(totals.unopened, 0, `${capture.name}: ${totals.unopened} of ${totals.packets} packets do not open`);
      if (capture.name.includes("randomdrop")) continue;
      for (const [lengths, found, first] of [
        [manifest.payloads.c2s_lengths, totals.up, 0],
        [manifest.payloads.s2c_lengths, totals.down, 0x80],
      ] as const) {
        lengths.forEach((length, i) => {
          const content = Uint8Array.from({ length }, (_, j) => 31 * i + 7 * j + first);
          assert.ok(
            (found.get(Buffer.from(content).toString("hex")) ?? 0) >= 1,
            `${capture.name}: datagram ${i} of ${length} bytes is missing`,
          );
        });
      }
    }
  });
}

function read(capture: Capture): Totals {
  const totals: Totals = { packets: 0, opened: 0, unopened: 0, up: new Map(), down: new Map() };
  // The default was not given with -k, and keeps its blank.
  const keys = deriveKeys(capture.key === "secret key" ? capture.key : passwordOf(capture.key), faketcpPrimitives);
  const options = { cipherMode: capture.cipher_mode, authMode: capture.auth_mode, fixGro: capture.extra_args.includes("--fix-gro") };
  const up = new Seal("client-->server", options, keys, faketcpPrimitives, crc32);
  const down = new Seal("server-->client", options, keys, faketcpPrimitives, crc32);
  for (const frame of framesOf(readVectorBytes(`udp2raw/${capture.pcap}`))) {
    const bytes = new Uint8Array(new ArrayBuffer(frame.length));
    bytes.set(frame);
    const view = new DataView(bytes.buffer);
    if (!readIp(bytes, view, ETHERNET_BYTES, bytes.length, ip)) continue;
    const payload = checkHeaders(bytes, view, capture);
    if (payload < 0 || payload === ip.end) continue;
    totals.packets++;
    const toServer = address(bytes, ip.destinationAt) === capture.server_ip;
    const found = openPacket(bytes, view, payload, toServer ? up : down);
    if (found === undefined) totals.unopened++;
    else {
      totals.opened++;
      for (const datagram of found) (toServer ? totals.up : totals.down).set(datagram, 1);
    }
  }
  assert.ok(totals.opened > 20, capture.name);
  return totals;
}

/** Reads IP's and the next header and writes them again; answers where the payload begins, −1 for packets of other programs. */
function checkHeaders(bytes: Uint8Array, view: DataView, { name }: Capture): number {
  const source = bytes.slice(ip.sourceAt, ip.sourceAt + ip.addressBytes);
  const destination = bytes.slice(ip.destinationAt, ip.destinationAt + ip.addressBytes);
  const pseudo = pseudoHeader(source, destination, ip.protocol, ip.end - ip.start);
  const again = new Uint8Array(new ArrayBuffer(bytes.length));
  again.set(bytes);
  const view2 = new DataView(again.buffer);
  again.fill(0, ETHERNET_BYTES, ip.start);
  const v6 = ip.addressBytes === 16;
  const ttl = bytes[ETHERNET_BYTES + (v6 ? 7 : 8)]!;
  const { protocol } = ip;
  writeIp(again, view2, ETHERNET_BYTES, ip.end, { source, destination, protocol }, v6 ? 0 : view.getUint16(ETHERNET_BYTES + 4), ttl);
  let payload = -1;
  if (protocol === TCP) {
    payload = readTcp(bytes, view, ip.start, ip.end, pseudo, tcp);
    assert.ok(payload > 0, `${name}: checksum of TCP`);
    again.fill(0, ip.start, payload);
    writeTcp(again, view2, ip.start, ip.end, tcp, pseudo);
    // The kernel's own segments have other options.
    if (name.startsWith("easy") && payload === ip.end) return -1;
  } else if (protocol === UDP) {
    payload = readUdp(view, bytes, ip.start, ip.end, pseudo, udp);
    if (payload < 0 || (udp.sourcePort !== 4096 && udp.destinationPort !== 4096)) return -1;
    again.fill(0, ip.start, payload);
    writeUdp(view2, again, ip.start, ip.end, udp, pseudo);
  } else if (protocol === ICMP || (protocol === ICMPV6 && bytes[ip.start]! <= 129)) {
    payload = readIcmp(view, bytes, ip.start, ip.end, v6 ? pseudo : 0, icmp);
    assert.equal(payload, ip.start + DATAGRAM_HEADER_BYTES, `${name}: checksum of ICMP`);
    again.fill(0, ip.start, payload);
    writeIcmp(view2, again, ip.start, ip.end, icmp, v6 ? pseudo : 0);
  } else return -1;
  assert.deepEqual(again, bytes, `${name}: headers written again`);
  return payload;
}

/** The datagrams inside, as hex; undefined when it cannot be opened. */
function openPacket(bytes: Uint8Array, view: DataView, payload: number, seal: Seal): string[] | undefined {
  const trial = new Uint8Array(new ArrayBuffer(bytes.length));
  trial.set(bytes);
  const trialView = new DataView(trial.buffer);
  const plainEnd = seal.open(trial, payload, ip.end);
  if (plainEnd >= 0 && readBare(trial, trialView, payload, plainEnd, bare)) return [];
  const found: string[] = [];
  let at = payload;
  while (at < ip.end) {
    const end = seal.next(bytes, at, ip.end);
    if (end < 0) return undefined;
    const start = at + seal.headBytes;
    const opened = seal.open(bytes, start, end);
    const body = opened < 0 ? -1 : readSafer(bytes, view, start, opened, safer);
    if (body < 0) return undefined;
    if (safer.type === DATA) found.push(Buffer.from(bytes.subarray(body, opened)).toString("hex"));
    at = end;
  }
  return found;
}

function address(bytes: Uint8Array, at: number): string {
  if (ip.addressBytes === 4) return bytes.subarray(at, at + 4).join(".");
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(at + 2 * i).toString(16)).join(":");
  return groups.replace(/(^|:)0(:0)+(:|$)/, "::");
}
