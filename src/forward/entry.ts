/**
 * A forward as it is written, in a file or on the command line: the one source of names, ranges, defaults, help and documentation.
 *
 *   { "name": "sip", "listen": "198.51.100.1:5060", "to": ["10.0.0.11:5060@3", "10.0.0.12:5060"] }
 *
 * Flat, so that every key of the file is an option of `longhaul forward add` as well.
 */
import { z } from "zod";

const rate = (what: string) => z.coerce.number().int().min(0).max(1e12).default(0).describe(`${what}; 0 = no limit`);
const texts = (most: number) => z.array(z.string().min(1)).max(most);

export const BACKENDS_MAX = 64;
export const SOURCES_MAX = 64;
export const PREFIXES_MAX = 1000;
export const checkKinds = ["none", "icmp", "tcp", "udp", "sip", "stun"] as const;

export const forwardEntry = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][\w.:-]{0,63}$/)
    .describe("its name: at most 64 letters, digits and . : _ -, a letter or digit first"),
  listen: z.string().describe("where datagrams come in: ADDR:PORT, ranges as ADDR-ADDR:PORT-PORT, prefixes as ADDR/LEN:PORT, [v6]:PORT"),
  to: texts(BACKENDS_MAX).min(1).describe("backends: ADDR:PORT, ADDR alone keeps the port, @WEIGHT of 0 to 1000 behind either"),
  balance: z
    .enum(["flow", "source"])
    .default("flow")
    .describe("what goes to one backend: a flow (address and port), or all of a source address"),
  source: texts(SOURCES_MAX)
    .default(["auto"])
    .describe("source address towards backends: auto (the route's), transparent (the client's own), or addresses and ranges"),
  sourceports: z.string().default("5536-65535").describe("source ports towards backends: PORT-PORT"),
  idle: z.coerce.number().int().min(1).max(86_400).default(120).describe("seconds without a datagram after which a flow ends"),
  packetlimit: rate("most packets a second, of all sources together"),
  bytelimit: rate("most bytes a second, of all sources together"),
  sourcepacketlimit: rate("most packets a second of each source address"),
  sourcebytelimit: rate("most bytes a second of each source address"),
  allow: texts(PREFIXES_MAX).default([]).describe("sources that are served: addresses, ranges, prefixes; all if not given"),
  deny: texts(PREFIXES_MAX).default([]).describe("sources that are not served, even if allowed"),
  enabled: z.stringbool().default(true).describe("false: kept, but not forwarding"),
  draining: z.stringbool().default(false).describe("true: flows that run go on, new ones are dropped"),
  sip: z.stringbool().default(false).describe("open the media ports that backends name in SDP, and only those"),
  check: z.enum(checkKinds).default("none").describe("how backends are checked; one that fails gets no new flows"),
  checkport: z.coerce.number().int().min(0).max(65_535).default(0).describe("port of the check; 0 = the backend's, or that of listen"),
  checkpayload: z
    .string()
    .regex(/^([0-9a-f]{2}){0,512}$/i)
    .default("")
    .describe("check udp: what is sent, in hex; whatever comes back is an answer"),
  checkperiod: z.coerce.number().int().min(1).max(3600).default(5).describe("seconds between two checks"),
  checktimeout: z.coerce.number().int().min(1).max(60).default(2).describe("seconds an answer may take"),
  checkrise: z.coerce.number().int().min(1).max(20).default(2).describe("answers in turn that make a backend healthy"),
  checkfall: z.coerce.number().int().min(1).max(20).default(3).describe("silences in turn that make it unhealthy"),
});

/** As a file has it: only what was given. */
export type ForwardEntry = Partial<z.output<typeof forwardEntry>>;
