/**
 * Options of `longhaul raw`: udp2raw's names, meanings and defaults (reference udp2raw.md section 2), as one schema, plus --key-file.
 *
 * Deviations: without --cipher-mode, --auth-mode and --compat udp2raw the mode is aes128gcm, which a udp2raw does not have; -l, -r, -c and -s have long names too; names are taken for -r; --keep-rule looks every 5 s (20 s there); iptables' lock is always waited
 * for; --clear ends with status 0 (255 there); --mtu-warn is told once a second at most; log lines are ours, so that --log-position and
 * --enable-color change nothing; the kernel's filter is always there; buffers are as large as wished wherever the process may force them, and --force-sock-buf says that
 * less will not do; without --lower-level packets leave by the link where that passes nothing by (host/direct-ways), route never does; auto sends a client's first packets by route, and learns the rest from the answers; without --retry-on-error a client ends when the server
 * has no route at the start, and goes on trying ever after.
 */
import { z } from "zod";
import { authModes } from "../faketcp/auth-mode.ts";
import { AEAD_MODE, cipherModes } from "../faketcp/cipher-mode.ts";
import { DEFAULT_PASSWORD } from "../faketcp/keys.ts";
import { rawModes } from "../faketcp/mode.ts";
import type { Later } from "./unknown-option.ts";

const count = (least: number, most: number) => z.coerce.number().int().min(least).max(most);
const flag = (description: string) => z.stringbool().default(false).describe(description);
/** Known to the original, and without effect there or here. */
const idle = (description: string) => flag(description).meta({ hidden: true });

/** As the original spells it. */
export const EASY_MODES = ["easyfaketcp", "easy_faketcp", "easy-faketcp"] as const;

export const rawConfig = z.strictObject({
  client: flag("the near end").meta({ short: "c" }),
  server: flag("the far end").meta({ short: "s" }),
  local: z.string().default("").describe("client: where UDP comes in; server: the raw side's own address: ip:port").meta({ short: "l" }),
  remote: z.string().default("").describe("client: the server; server: where UDP goes to: host:port").meta({ short: "r" }),
  key: z
    .string()
    .min(1)
    .default(DEFAULT_PASSWORD)
    .describe("password, up to its first blank; the same at both ends")
    .meta({ short: "k", secret: true }),
  "key-file": z.string().default("").describe("file that holds the password, instead of --key or the variable LONGHAUL_RAW_KEY"),
  "raw-mode": z
    .enum([...rawModes, "tcp", ...EASY_MODES])
    .default("faketcp")
    .describe(
      "what packets look like; the same at both ends; easyfaketcp: faketcp whose connection the kernel makes; tcp: real connections, between two of ours only, without any capability",
    ),
  compat: z
    .enum(["longhaul", "udp2raw"])
    .default("longhaul")
    .describe("whose default modes: those of udp2raw are aes128cbc and md5, those between two of ours aes128gcm"),
  "cipher-mode": z
    .enum([...cipherModes, AEAD_MODE])
    .default(AEAD_MODE)
    .describe("cipher; the same at both ends; aes128gcm, which is ours, needs no auth-mode; with auth-mode given the default is aes128cbc")
    .meta({ initialBy: { option: "compat", values: { udp2raw: "aes128cbc" }, given: ["auth-mode"], value: "aes128cbc" } }),
  "auth-mode": z.enum(authModes).default("md5").describe("check of each packet; the same at both ends; not with aes128gcm"),
  "auto-rule": flag("add the firewall's rule, and remove it at the end").meta({ short: "a" }),
  "gen-rule": flag("print the firewall's rule and end").meta({ short: "g" }),
  "gen-add": flag("add the firewall's rule for good and end"),
  "keep-rule": flag("look every 5 s whether the firewall's rule is still there, and restore it; implies --auto-rule"),
  clear: flag("remove all firewall rules that this program has left behind, and end"),
  "wait-lock": idle("wait for iptables' lock: always done"),
  "disable-anti-replay": flag("take packets that were seen before"),
  "fix-gro": flag("length before each packet, for receivers that merge packets; the same at both ends"),
  "source-ip": z.string().default("").describe("client: address that packets come from"),
  "source-port": count(0, 65_535).default(0).describe("client: port that packets come from; 0 = another one for each connection"),
  dev: z.string().default("").describe("take packets of this interface only"),
  "lower-level": z
    .string()
    .default("")
    .describe(
      "send by the routing table always: route; past it and the firewall: auto (by where the other end's packets come from) or INTERFACE#MAC",
    ),
  fifo: z.string().default("").describe('client: named pipe, made if need be; the line "reconnect" makes a new connection'),
  "conf-file": z.string().default("").describe("file with options, one on a line"),
  "log-level": count(0, 6).default(4).describe("0 never, 1 fatal, 2 error, 3 warn, 4 info, 5 debug, 6 trace"),
  "log-position": idle("names of source files in the log: our lines name the module"),
  "disable-color": flag("no colours in the log"),
  "enable-color": idle("colours in the log: at a terminal they are there"),
  "disable-bpf": idle("no filter in the kernel: it is always there"),
  "sock-buf": count(10, 10_240).default(1024).describe("KiB of the sockets' buffers"),
  "force-sock-buf": flag("end when the system does not allow buffers of --sock-buf"),
  "retry-on-error": flag("client: begin although the server cannot be reached or found yet, and try again"),
  "seq-mode": count(0, 4)
    .default(3)
    .describe("how faketcp's sequence numbers go: 0 fixed, 1 and 2 rising, 3 and 4 as a sender with a window"),
  "hb-len": count(0, 1500).default(1200).describe("bytes of a heartbeat"),
  "hb-mode": count(0, 1).default(1).describe("1: only heartbeats show that the other end lives, 0: data too").meta({ hidden: true }),
  "mtu-warn": count(1, 65_535).default(1375).describe("warn of datagrams of so many bytes and more, which are sent all the same"),
  "max-rst-to-show": count(0, 2_147_483_647).default(15).describe("RSTs of others that are told").meta({ hidden: true }),
  "max-rst-allowed": count(-1, 2_147_483_647)
    .default(-1)
    .describe("client: RSTs of others after which a new connection is made; -1: they mean nothing")
    .meta({ hidden: true }),
  "random-drop": count(0, 10_000).default(0).describe("for tests: of 10,000 packets so many are not sent").meta({ hidden: true }),
  "set-ttl": count(1, 255).default(64).describe("time to live of packets").meta({ hidden: true }),
  "easy-tcp": flag("raw-mode easyfaketcp").meta({ hidden: true }),
  workers: count(1, 64).default(1).describe("threads; server: clients are spread over them, client: each has a connection of its own"),
  metrics: z.string().default("").describe("serve Prometheus metrics at this host:port, or at a port of 127.0.0.1"),
  statussocket: z
    .string()
    .default("auto")
    .describe("unix socket of the status pages: auto = where others of this user are, none, or a path"),
  "simple-rule": idle("dead in the original"),
  "dns-resolve": idle("dead in the original: names are always looked up here"),
});

export type RawConfig = z.output<typeof rawConfig>;

/** Refused by name. */
export const laterRawOptions: Later = {
  program: "udp2raw",
  names: ["debug", "unit-test", "pcap-send", "no-pcap-mutex"],
};
