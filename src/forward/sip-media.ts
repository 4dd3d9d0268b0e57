/**
 * Media ports learnt from SIP: a backend names them in SDP, and only those are opened, towards that backend, for as long as media flows.
 *
 *   backend ── 200 OK, SDP: c= an address of `listen`, m=audio 20000 ──▶ client        learnt: listen address 20000 and 20001 → backend
 *   client  ── RTP to 20000 ─────────────────────────────────────────▶ backend
 *
 * A backend must name an address of the forward's `listen` (the address it is told to announce): where it names its own, nothing here could be of use to
 * the client. Nothing is rewritten. A port that belongs to another forward stays that one's.
 *
 * Source: RFC 3261 section 7, RFC 8866 section 5.7 and 5.14, RFC 3605 (a=rtcp), RFC 5761 (a=rtcp-mux). Deviations: only UDP; SIP that is compressed,
 * encrypted or spread over several datagrams is not read.
 */
import type { Millis } from "../base/units.ts";
import { formatIp } from "../host/ip-address.ts";
import { parseSessionDescription } from "../media/sdp/session-description.ts";
import type { DatapathStats } from "./datapath.ts";
import { entryOf, type Forward, parseForward } from "./forward.ts";
import { contains, formatAddress, parseAddress } from "./ip-range.ts";
import { portOf } from "./listen.ts";

const LEARNT_MAX = 20_000;
const MESSAGE_BYTES_MAX = 65_536;
const PORT_LEAST = 1024;
/** A learnt place without a flow for so long is closed again. */
const UNUSED_MS: Millis = 60_000;

interface Learnt {
  readonly forward: Forward;
  readonly parent: string;
  usedAt: Millis;
}

export class SipMedia {
  readonly counters = { sipDescriptions: 0, sipPortsLearnt: 0, sipPortsClosed: 0, sipElsewhere: 0, sipFull: 0 };
  readonly #learnt = new Map<string, Learnt>();

  /** Forwards for what has been learnt. */
  get forwards(): Forward[] {
    return Array.from(this.#learnt.values(), ({ forward }) => forward);
  }

  /** A packet of the forward, from its IP header on; whether something new was learnt. */
  packet(parent: Forward, packet: Uint8Array, now: Millis): boolean {
    const from = readUdp(packet);
    if (from === undefined || !isBackend(parent, from.host, from.port)) return false;
    const text = Buffer.from(from.payload).toString("latin1");
    const body = bodyOf(text);
    const description = body === undefined ? undefined : parseSessionDescription(body);
    if (body === undefined || description === undefined) return false;
    this.counters.sipDescriptions++;
    const connections = connectionsOf(body);
    let news = false;
    description.media.forEach(({ port, attributes }, i) => {
      const host = connections[i] ?? "";
      const address = parseAddress(host);
      if (port < PORT_LEAST || port > 65_534) return;
      if (address === undefined || !contains(parent.listen.addresses, address.family, address.value)) {
        this.counters.sipElsewhere++;
        return;
      }
      const rtcp = attributes.find(({ name }) => name === "rtcp")?.value.split(" ")[0];
      const ports = new Set([port]);
      if (rtcp !== undefined) ports.add(Number(rtcp));
      else if (!attributes.some(({ name }) => name === "rtcp-mux")) ports.add(port + 1);
      for (const each of ports) if (each >= PORT_LEAST && each <= 65_535 && this.#learn(parent, host, each, from.host, now)) news = true;
    });
    return news;
  }

  /** Closes what has not been used; whether something was. `parents`: forwards that still learn. */
  sweep({ forwards }: DatapathStats, parents: ReadonlySet<string>, now: Millis): boolean {
    let closed = false;
    for (const [place, learnt] of this.#learnt) {
      if ((forwards.get(learnt.forward.name)?.flows ?? 0) > 0) learnt.usedAt = now;
      if (parents.has(learnt.parent) && now - learnt.usedAt < UNUSED_MS) continue;
      this.#learnt.delete(place);
      this.counters.sipPortsClosed++;
      closed = true;
    }
    return closed;
  }

  #learn(parent: Forward, host: string, port: number, backend: string, now: Millis): boolean {
    const place = `${host} ${port}`;
    const known = this.#learnt.get(place);
    if (known !== undefined) {
      known.usedAt = now;
      return false;
    }
    if (this.#learnt.size >= LEARNT_MAX) {
      this.counters.sipFull++;
      return false;
    }
    const { source, sourceports, idle, allow, deny } = entryOf(parent);
    const forward = parseForward(
      {
        name: `${parent.name.slice(0, 50)}:${port}`,
        listen: host.includes(":") ? `[${host}]:${port}` : place.replace(" ", ":"),
        to: [backend],
        ...given({ source, sourceports, idle, allow, deny }),
      },
      parent.name,
    );
    this.#learnt.set(place, { forward, parent: parent.name, usedAt: now });
    this.counters.sipPortsLearnt++;
    return true;
  }
}

function isBackend({ backends, listen }: Forward, host: string, port: number): boolean {
  return backends.some((each) => formatAddress(each.family, each.address) === host && (portOf(listen, each) ?? port) === port);
}

function given(entry: object): object {
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined));
}

/** The SDP of a SIP message; undefined: none, or no SIP. */
function bodyOf(text: string): string | undefined {
  if (!/^(SIP\/2\.0 \d{3} |[A-Z]{3,12} sips?:)/.test(text)) return undefined;
  const end = text.indexOf("\r\n\r\n");
  if (end < 0 || !/^(content-type|c)[ \t]*:[ \t]*application\/sdp\b/im.test(text.slice(0, end))) return undefined;
  return text.slice(end + 4);
}

/** The address of each media section: its own c=, or the session's. */
function connectionsOf(body: string): string[] {
  const [session = "", ...sections] = body.split(/^m=/m);
  const address = (part: string): string | undefined => /^c=IN IP[46] ([0-9A-Fa-f.:]+)/m.exec(part)?.[1];
  return sections.map((section) => address(section) ?? address(session) ?? "");
}

/** Source and payload of an unfragmented UDP packet. */
function readUdp(packet: Uint8Array): { readonly host: string; readonly port: number; readonly payload: Uint8Array } | undefined {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const version = packet.length < 28 || packet.length > MESSAGE_BYTES_MAX ? 0 : packet[0]! >> 4;
  if (version === 4) {
    const header = (packet[0]! & 15) * 4;
    if (header < 20 || packet[9] !== UDP || packet.length < header + 8) return undefined;
    return { host: packet.subarray(12, 16).join("."), port: view.getUint16(header), payload: packet.subarray(header + 8) };
  }
  if (version !== 6 || packet.length < 48 || packet[6] !== UDP) return undefined;
  return { host: formatIp(packet, 8), port: view.getUint16(40), payload: packet.subarray(48) };
}

const UDP = 17;
