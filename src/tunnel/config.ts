/**
 * Options of `longhaul client` and `longhaul server`: kcptun's names, meanings and defaults (reference kcptun.md section 9.2), for what exists so far.
 * The one source of flags, environment names, JSON keys and help. Both ends must agree on key and crypt; the server finds out the rest by itself.
 */
import { z } from "zod";
import { type CipherName, cipherNames } from "../cipher/names.ts";
import { modeNames } from "./mode.ts";

const u16 = z.coerce.number().int().max(65_535);
const count = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

/** Texts, one option each or with commas. */
const list = (most: number) => z.array(z.string().min(1)).max(most).default([]);

/** Kept small by what is measured; these are the most it may come to. */
const byMode = (most: number) => ({ initialBy: { option: "mode", values: { auto: most } } });

const sndwnd = (initial: number) => u16.min(1).default(initial).describe("most packets in flight").meta(byMode(8192));
const rcvwnd = (initial: number) => u16.min(1).default(initial).describe("most packets waiting to be read").meta(byMode(8192));

/** What both ends have in common. */
const shared = {
  key: z
    .string()
    .min(1)
    .default("it's a secrect")
    .describe("secret shared by both ends")
    .meta({ env: ["LONGHAUL_KEY", "KCPTUN_KEY"], secret: true }),
  crypt: z
    .enum(cipherNames as readonly [CipherName, ...CipherName[]])
    .default("aes")
    .describe("cipher; the same at both ends")
    .meta({ fallback: { when: "cryptfallback", value: "aes" } }),
  cryptfallback: z.stringbool().default(false).describe("take a cipher that is not known for aes without a word, as kcptun does"),
  mode: z
    .enum(modeNames)
    .default("auto")
    .describe("auto = rate, window and FEC follow what is measured; the others are kcptun's: how eagerly lost packets are resent")
    .meta({ fallback: { value: "manual" } }),
  mtu: count(64, 1500).default(1350).describe("bytes in one UDP datagram"),
  datashard: count(0, 255)
    .default(10)
    .describe("FEC: data packets in a group, 0 = off")
    .meta({ alias: ["ds"] }),
  parityshard: count(0, 255)
    .default(3)
    .describe("FEC: parity packets in a group, 0 = off; mode auto sends as many of them as the loss asks for")
    .meta({ alias: ["ps"] }),
  dscp: count(0, 63).default(0).describe("differentiated services code point of our packets"),
  QPP: z.stringbool().default(false).describe("quantum permutation pads on each connection; the same at both ends"),
  QPPCount: count(1, 65_536)
    .default(61)
    .describe("pads of QPP; the same at both ends")
    .meta({ alias: ["qpp-count"] }),
  nocomp: z.stringbool().default(false).describe("switch snappy compression off"),
  ratelimit: count(0, 2 ** 40)
    .default(0)
    .describe("most bytes a second of datagrams of one session; they wait, none is dropped; 0 = no limit"),
  acknodelay: z.stringbool().default(false).describe("acknowledge at once").meta({ hidden: true }),
  nodelay: count(0, 1).default(0).describe("mode manual: 1 = minimum RTO 30 ms").meta({ hidden: true }),
  interval: count(10, 5000).default(50).describe("mode manual: ms between flushes").meta({ hidden: true }),
  resend: count(0, 255).default(0).describe("mode manual: resend after so many later acks").meta({ hidden: true }),
  nc: count(0, 1).default(0).describe("mode manual: 1 = no congestion window").meta({ hidden: true }),
  sockbuf: count(4096, 2 ** 30)
    .default(4_194_304)
    .describe("bytes of UDP socket buffer"),
  smuxver: count(1, 2)
    .default(2)
    .describe("stream multiplexing version; kcptun before 2025-11 defaults to 1")
    .meta({ initialBy: { option: "compat", values: { "2021": 1 } } }),
  smuxbuf: count(65_536, 2 ** 30)
    .default(4_194_304)
    .describe("bytes received for slow streams of one session together")
    .meta(byMode(16_777_216)),
  framesize: count(1024, 65_535)
    .default(8192)
    .describe("most bytes of one stream in a row; mode auto takes no more than 4096")
    .meta({ initialBy: { option: "compat", values: { "2021": 4096 } } }),
  streambuf: count(65_536, 2 ** 30)
    .default(2_097_152)
    .describe("bytes received for one slow stream (smux version 2)")
    .meta(byMode(16_777_216)),
  spill: count(0, 2 ** 30)
    .default(16_777_216)
    .describe("bytes beyond smuxbuf that streams of a session may hold whose applications take nothing, before the others wait for them"),
  stallwait: count(0, 86_400)
    .default(5)
    .describe(
      "seconds a stream may take nothing while all others of its session wait for it, then it is reset; 0 = they wait as long as it takes",
    ),
  keepalive: count(1, 30).default(10).describe("seconds between keep-alives"),
  closewait: count(0, 86_400).default(30).describe("seconds a half-closed connection may idle before it is closed"),
  compat: z.enum(["2021", "2026"]).default("2026").describe("kcptun generation whose timing, defaults and columns of snmplog are kept"),
  proxyprotocol: z
    .stringbool()
    .default(false)
    .describe(
      "begin each TCP connection to a target with a PROXY protocol version 2 header; it names the application, or the tunnel's client when that is a kcptun, which does not tell",
    ),
  streams: count(1, 1_000_000).default(4096).describe("most connections in one session"),
  flows: count(1, 65_536).default(4096).describe("most UDP flows at once, in each direction and for each address listened at"),
  flowidle: count(5, 86_400).default(120).describe("seconds a UDP flow may idle; one that was never answered idles 30 at most"),
  flowqueue: count(8, 65_536).default(256).describe("most datagrams of flows that wait to be sent in one session; the oldest gives way"),
  flowparts: count(1, 1024)
    .default(16)
    .describe("most datagrams of one session put together from pieces at once; those longer than a packet travel in pieces"),
  rawkey: z
    .string()
    .default("")
    .describe("secret of carriers other than udp; the same at both ends; by default the tunnel's key")
    .meta({ alias: ["raw-key"], env: ["LONGHAUL_RAW_KEY"], secret: true }),
  raw: z
    .record(z.string(), z.string())
    .default({})
    .describe(
      "how raw packets are made, by udp2raw's names: cipher-mode, auth-mode, fix-gro (the same at both ends), seq-mode, hb-len, source-ip, source-port",
    ),
  tcp: z
    .stringbool()
    .default(false)
    .describe("carrier tcpraw, as kcptun's --tcp: datagrams as segments of a TCP connection; a server takes it besides its other carriers"),
  tcpcarrier: z
    .record(z.string(), z.string())
    .default({})
    .describe(
      "how carrier tcp connects: connections, congestion (the kernel's, such as bbr); tls=true with cert and certkey, or with ca, pin and name",
    ),
  extensions: z
    .stringbool()
    .default(true)
    .describe("find out whether the other end is a Longhaul too, and use what kcptun does not have; false = behave as kcptun does"),
  gso: z.stringbool().default(true).describe("let the kernel split and join datagrams (GSO, GRO); false where a device does it wrongly"),
  workers: count(0, 64)
    .default(1)
    .describe("threads that share the sessions, each session always on the same one (Linux); 0 = one for each processor"),
  io: z.enum(["auto", "epoll", "node"]).default("auto").describe("socket layer; auto takes the fastest that works"),
  log: z.string().default("").describe("file that log lines are appended to; standard error if not given"),
  snmplog: z.string().default("").describe("CSV file for counters; its name may hold Go's time layout: snmp-20060102.csv"),
  snmpperiod: count(0, 86_400).default(60).describe("seconds between two rows of snmplog, 0 = none"),
  quiet: z.stringbool().default(false).describe("log no line per connection"),
  metrics: z
    .string()
    .default("")
    .describe(
      "serve /metrics (Prometheus), /status and /healthz here: port (loopback only), host:port or unix socket path; off if not given",
    ),
  metricsessions: count(0, 10_000).default(16).describe("most sessions that have metrics of their own"),
  statussocket: z.string().default("auto").describe('unix socket for "longhaul top": auto, none or a path'),
};

export const clientConfig = z.strictObject({
  localaddr: z
    .string()
    .default(":12948")
    .describe("where applications connect: host:port or unix socket path; leads to the server's default target")
    .meta({ short: "l", initialBy: { given: ["forward", "reverse"], value: "" } }),
  forward: list(256).describe(
    "where else applications connect, and to which of the server's targets that leads: [tcp:|udp:|rtmp:]LISTEN[=TARGET], such as :8080=web, or udp::5000-5099=rtp for a range of ports",
  ),
  remoteaddr: z
    .string()
    .default("vps:29900")
    .describe(
      "the server: host:port, or host:min-max for a random port per session; %INTERFACE or %ADDRESS behind it: where to leave from, such as host:port%eth1",
    )
    .meta({ short: "r" }),
  carrier: z
    .enum(["udp", "faketcp", "easyfaketcp", "icmp", "rawudp", "tcp", "tcpraw"])
    .default("udp")
    .describe(
      "what datagrams look like on the wire; one of the server's; faketcp, easyfaketcp, icmp, rawudp and tcpraw (kcptun's --tcp) need the capability CAP_NET_RAW",
    ),
  path: list(7).describe(
    "another way to the same server, taken where it delivers more: [CARRIER=]host:port[%INTERFACE or %ADDRESS to leave from], in the order in which ways are preferred; --remoteaddr with --carrier is the first; needs a Longhaul at the other end",
  ),
  copies: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe(
      "share of what both ends send that goes over a second path as well, 0 to 1: what is resent first, then ends of bursts and datagrams; 1 = everything, so that a path may fail without anything being late",
    ),
  maxdelay: count(100, 60_000)
    .default(2000)
    .describe(
      "milliseconds that frames of encoders at rtmp: forwards may wait for the link; what would wait longer is left out, whole tails of groups of pictures, sound last",
    ),
  reverse: list(256).describe(
    "what the server listens for and where it comes out here: NAME=[tcp:|udp:]ADDRESS, such as web=127.0.0.1:80; the server's reverse says where",
  ),
  conn: count(1, 1024).default(1).describe("UDP sessions, used in turn"),
  autoexpire: count(0, 2 ** 31)
    .default(0)
    .describe("seconds after which a session gets no new connections and another one begins, 0 = never"),
  scavengettl: count(0, 2 ** 31)
    .default(600)
    .describe("seconds an expired session may go on for the connections it has"),
  retired: count(1, 1024).default(64).describe("most replaced sessions that go on for the connections they have"),
  ...shared,
  sndwnd: sndwnd(128),
  rcvwnd: rcvwnd(512),
});

export const serverConfig = z.strictObject({
  listen: z
    .string()
    .default(":29900")
    .describe("UDP address clients send to: host:port, or host:min-max for all ports of a range")
    .meta({ short: "l" }),
  carrier: z
    .array(z.string().min(1))
    .max(16)
    .default(["udp"])
    .describe(
      "what carries datagrams, several at once: udp, faketcp, easyfaketcp, icmp, rawudp, tcp, tcpraw; where it is not --listen's address, NAME=host:port",
    ),
  target: z
    .string()
    .default("127.0.0.1:12948")
    .describe("where connections are made to that ask for no other target: host:port or unix socket path; after udp: only for UDP")
    .meta({ short: "t" }),
  targets: list(4096).describe(
    "what else clients may ask for: NAME=[tcp:|udp:]ADDRESS, such as web=10.0.0.5:80, or rtp=udp:10.0.0.5:6000-6099 for a range; anything else is refused",
  ),
  reverse: list(4096).describe(
    "where clients may have us listen, for what comes out at their end: NAME=[tcp:|udp:]LISTEN, such as web=:8080",
  ),
  ...shared,
  sndwnd: sndwnd(1024),
  rcvwnd: rcvwnd(1024),
  ports: u16.min(1).default(1024).describe("most UDP ports of a range"),
  sessions: count(1, 65_536).default(4096).describe("most clients at once"),
  users: z
    .union([z.string(), z.array(z.unknown())])
    .default("")
    .describe(
      "JSON file of users with keys and limits of their own, or in the JSON configuration the array itself; then there is no key for all",
    ),
  state: z
    .string()
    .default("")
    .describe("JSON file that keeps what users have used of their quotas over a restart; saved every 10 s and at the end"),
  metricusers: count(0, 1000).default(64).describe("most users that have metrics of their own"),
  tries: count(1, 10_000_000)
    .default(20_000)
    .describe("most decryptions a second to find out whose the datagrams of unknown addresses are, with several users"),
  triesonce: count(1, 4096).default(128).describe("most of them for one datagram; the address's next one goes on with the other users"),
});

export type ClientConfig = z.output<typeof clientConfig>;
export type ServerConfig = z.output<typeof serverConfig>;
export type TunnelConfig = Omit<
  ClientConfig,
  | "localaddr"
  | "forward"
  | "maxdelay"
  | "reverse"
  | "remoteaddr"
  | "carrier"
  | "path"
  | "copies"
  | "conn"
  | "autoexpire"
  | "scavengettl"
  | "retired"
>;
