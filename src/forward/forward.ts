/** A forward, checked and ready for a datapath: what comes in at `listen` goes to one of `backends`, and answers go back. UDP, IPv4 and IPv6. */
import type { z } from "zod";
import { ConfigError } from "../base/errors.ts";
import { fromHex } from "../base/hex.ts";
import { mix32 } from "../base/text-hash.ts";
import { type ForwardEntry, forwardEntry } from "./entry.ts";
import { type Family, type IpRange, parseIpRange } from "./ip-range.ts";
import { type Backend, formatBackend, isExact, type Listen, type PortRange, parseBackend, parseListen, parsePorts } from "./listen.ts";

/** What backends see as the source. */
export type Source = (
  | { readonly kind: "auto"; readonly ports: PortRange }
  /** The client's own; backends must have this machine as their way back. */
  | { readonly kind: "transparent" }
  | { readonly kind: "addresses"; readonly ranges: readonly IpRange[]; readonly ports: PortRange }
) & {
  /** Equal for what is equal, within a family. */
  readonly text: string;
};

/** 0: no limit. Of what sources send; answers are not limited. A burst of one second is let through, of bytes at least 64 KiB. */
export interface Limits {
  readonly packets: number;
  readonly bytes: number;
  readonly sourcePackets: number;
  readonly sourceBytes: number;
}

export interface HealthCheck {
  readonly kind: "icmp" | "tcp" | "udp" | "sip" | "stun";
  /** Undefined: the backend's own, or the first of listen. */
  readonly port: number | undefined;
  readonly payload: Uint8Array;
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly rise: number;
  readonly fall: number;
}

export interface Forward {
  readonly name: string;
  readonly listen: Listen;
  /** At least one, all of listen's family, no place twice. */
  readonly backends: readonly Backend[];
  readonly balance: "flow" | "source";
  /** Which of `backends` a hash leads to, place by place; undefined: as weights say. Never in a file: `withChoices`. */
  readonly choices: readonly number[] | undefined;
  readonly source: Source;
  readonly idleSeconds: number;
  readonly limits: Limits;
  /** Empty: all. */
  readonly allow: readonly IpRange[];
  readonly deny: readonly IpRange[];
  /** off: nothing is forwarded. draining: flows that run go on, new ones are dropped. */
  readonly state: "on" | "draining" | "off";
  readonly sip: boolean;
  readonly check: HealthCheck | undefined;
  /** As it was written, in canonical form: equal texts mean equal forwards. */
  readonly text: string;
  /**
   * Of what most are (one place of IPv4, one backend, all else by default): the port it listens at, and above 2^16 its backend's, 0 for the same; 0 of others. Behind it their
   * addresses. So tens of thousands are applied without a look at their parts, which lie all over memory.
   */
  readonly plainPorts: number;
  /** 32 bits with a sign. */
  readonly plainListen: number;
  readonly plainBackend: number;
}

/** `where`: how the entry is called in the sentence when it has no name, such as "forwards[3]". @throws ConfigError */
export function parseForward(given: unknown, where: string): Forward {
  const result = forwardEntry.safeParse(asTexts(given));
  if (!result.success) throw explain(result.error.issues[0]!, given, where);
  const entry = result.data;
  const { name } = entry;
  const listen = parseListen(entry.listen) ?? fail(name, "listen", entry.listen);
  const { family } = listen.addresses;
  const backends: Backend[] = [];
  for (const text of entry.to) backends.push(parseBackend(text) ?? fail(name, "to", text));
  checkBackends(name, backends, family);
  const source = parseSource(name, entry.source, entry.sourceports, family);
  const limits = limitsOf(entry);
  const [allow, deny] = [prefixes(name, "allow", entry.allow, family), prefixes(name, "deny", entry.deny, family)];
  const state = stateOf(entry);
  const usual =
    source === AUTO && limits === UNLIMITED && allow === NOBODY && deny === NOBODY && entry.balance === "flow" && state === "on";
  const isPlain = usual && !entry.sip && family === 4 && isExact(listen) && backends.length === 1 && backends[0]!.weight > 0;
  // All in one literal: what is spread into it stands elsewhere. What is read of all of many comes first.
  return {
    name,
    plainPorts: isPlain ? listen.ports.first | ((backends[0]!.port ?? 0) << 16) : 0,
    plainListen: isPlain ? Number(listen.addresses.first) | 0 : 0,
    plainBackend: isPlain ? Number(backends[0]!.address) | 0 : 0,
    idleSeconds: entry.idle,
    state,
    listen,
    backends,
    balance: entry.balance,
    choices: undefined,
    source,
    limits,
    allow,
    deny,
    sip: entry.sip,
    check: entry.check === "none" ? undefined : { ...healthCheck(entry), kind: entry.check },
    text: JSON.stringify(written(entry)),
  };
}

/**
 * The same, with the backend of each place of the hash given instead of drawn: for who spreads flows by rules of its own. Every backend with a weight is in
 * `choices`, and no other. Such a forward cannot be kept in a file.
 */
export function withChoices(forward: Forward, choices: readonly number[]): Forward {
  const drawn = choices.reduce((hash, index) => mix32(hash ^ index), choices.length);
  return { ...forward, choices, plainPorts: 0, text: JSON.stringify({ ...entryOf(forward), choices: `${drawn}` }) };
}

/** The entry as a file has it: what equals the default is left out. */
export function entryOf(forward: Forward): ForwardEntry {
  return JSON.parse(forward.text) as ForwardEntry;
}

/** Backends that get new flows. */
export function weighted(forward: Forward): readonly Backend[] {
  return forward.backends.filter(({ weight }) => weight > 0);
}

type Entry = ReturnType<typeof forwardEntry.parse>;

function stateOf({ enabled, draining }: Entry): Forward["state"] {
  if (!enabled) return "off";
  return draining ? "draining" : "on";
}

const defaults = forwardEntry.partial({ name: true, listen: true, to: true }).parse({}) as Record<string, unknown>;

function written(entry: Entry): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(entry)) {
    const initial = defaults[key];
    const same = Array.isArray(value) ? Array.isArray(initial) && value.join() === initial.join() : value === initial;
    if (!same) out[key] = value;
  }
  return out;
}

/** Files have true booleans, and single texts where several are possible. */
function asTexts(given: unknown): unknown {
  if (typeof given !== "object" || given === null || Array.isArray(given)) return given;
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(given)) {
    out[key] = typeof value === "boolean" ? String(value) : typeof value === "string" && lists.has(key) ? [value] : value;
  }
  return out;
}

function checkBackends(name: string, backends: readonly Backend[], family: Family): void {
  const seen = new Set<string>();
  for (const backend of backends) {
    const text = formatBackend(backend);
    if (backend.family !== family)
      throw new ConfigError("to", `${name}: to: "${text}" is not allowed; listen is IPv${family}, and so must be its backends`);
    if (seen.has(text)) throw new ConfigError("to", `${name}: to: "${text}" is given twice; give it once, with a weight`);
    seen.add(text);
  }
}

function parseSource(name: string, texts: readonly string[], portsText: string, family: Family): Source {
  const ports = parsePorts(portsText) ?? fail(name, "sourceports", portsText);
  if (texts.length === 1 && texts[0] === "auto" && portsText === defaults.sourceports) return AUTO;
  const text = `${texts.join()}:${portsText}`;
  if (texts.length === 1 && texts[0] === "transparent") return { kind: "transparent", text };
  if (texts.length === 1 && texts[0] === "auto") return { kind: "auto", ports, text };
  return { kind: "addresses", text, ranges: texts.map((text) => ofFamily(name, "source", text, family)), ports };
}

/** What most have alike is one object: there may be very many forwards. */
function prefixes(name: string, key: "allow" | "deny", texts: readonly string[], family: Family): readonly IpRange[] {
  return texts.length === 0 ? NOBODY : texts.map((text) => ofFamily(name, key, text, family));
}

function limitsOf({ packetlimit, bytelimit, sourcepacketlimit, sourcebytelimit }: Entry): Limits {
  if (packetlimit + bytelimit + sourcepacketlimit + sourcebytelimit === 0) return UNLIMITED;
  return { packets: packetlimit, bytes: bytelimit, sourcePackets: sourcepacketlimit, sourceBytes: sourcebytelimit };
}

function ofFamily(name: string, key: "allow" | "deny" | "source", text: string, family: Family): IpRange {
  const range = parseIpRange(text) ?? fail(name, key, text);
  if (range.family === family) return range;
  throw new ConfigError(key, `${name}: ${key}: "${text}" is not allowed; listen is IPv${family}, and so must be this`);
}

function healthCheck(entry: Entry): Omit<HealthCheck, "kind"> {
  return {
    port: entry.checkport === 0 ? undefined : entry.checkport,
    payload: fromHex(entry.checkpayload),
    periodSeconds: entry.checkperiod,
    timeoutSeconds: entry.checktimeout,
    rise: entry.checkrise,
    fall: entry.checkfall,
  };
}

function fail(name: string, key: keyof Entry, given: unknown): never {
  throw new ConfigError(key, `${name}: ${key}: "${String(given)}" is not allowed; give ${forwardEntry.shape[key].description}`);
}

function explain(issue: z.core.$ZodIssue, given: unknown, where: string): ConfigError {
  const key = issue.path[0];
  const fields = typeof given === "object" && given !== null ? (given as Record<string, unknown>) : {};
  const name = typeof fields.name === "string" && fields.name.length <= 64 ? fields.name : where;
  if (key === undefined || !(key in forwardEntry.shape)) {
    const unknown = "keys" in issue ? `"${String(issue.keys[0])}" is not known` : "not a forward";
    return new ConfigError(name, `${name}: ${unknown}; give an object with ${Object.keys(forwardEntry.shape).join(", ")}`);
  }
  const value = fields[String(key)];
  const shown = value === undefined ? "nothing" : JSON.stringify(value).slice(0, 100);
  const { description } = forwardEntry.shape[key as keyof Entry];
  return new ConfigError(String(key), `${name}: ${String(key)}: ${shown} is not allowed; give ${description}`);
}

/** Our own address towards a backend, and the ports that are taken by default. */
export const AUTO: Source = (() => {
  const text = defaults.sourceports as string;
  return { kind: "auto", ports: parsePorts(text)!, text: `auto:${text}` };
})();
const NOBODY: readonly IpRange[] = [];
const UNLIMITED: Limits = { packets: 0, bytes: 0, sourcePackets: 0, sourceBytes: 0 };
const lists = new Set(["to", "source", "allow", "deny"]);
