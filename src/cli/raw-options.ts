/**
 * Options of `longhaul raw`: udp2raw's names, meanings and defaults (reference udp2raw.md section 2), as one schema, plus --key-file.
 *
 * Deviations: without --cipher-mode, --auth-mode and --compat udp2raw the mode is aes128gcm, which a udp2raw does not have; -l, -r, -c and -s have long names too; names are taken for -r; --keep-rule looks every 5 s (20 s there); iptables' lock is always waited
 * for; --clear ends with status 0 (255 there); --mtu-warn speaks in explain alone so far; log lines are ours, so that --log-position and
 * --enable-color change nothing; the kernel's filter is always there.
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
  "conf-file": z.string().default("").describe("file with options, one on a line"),
  "log-level": count(0, 6).default(4).describe("0 never, 1 fatal, 2 error, 3 warn, 4 info, 5 debug, 6 trace"),
  "log-position": idle("names of source files in the log: our lines name the module"),
  "disable-color": flag("no colours in the log"),
  "enable-color": idle("colours in the log: at a terminal they are there"),
  "disable-bpf": idle("no filter in the kernel: it is always there"),
  "sock-buf": count(10, 10_240).default(1024).describe("KiB of the sockets' buffers"),
  "seq-mode": count(0, 4)
    .default(3)
    .describe("how faketcp's sequence numbers go: 0 fixed, 1 and 2 rising, 3 and 4 as a sender with a window"),
  "hb-len": count(0, 1500).default(1200).describe("bytes of a heartbeat"),
  "hb-mode": count(0, 1).default(1).describe("1: only heartbeats show that the other end lives, 0: data too").meta({ hidden: true }),
  "mtu-warn": count(1, 65_535).default(1375).describe("explain: say whether a warning of datagrams of so many bytes would come in time"),
  "set-ttl": count(1, 255).default(64).describe("time to live of packets").meta({ hidden: true }),
  "easy-tcp": flag("raw-mode easyfaketcp").meta({ hidden: true }),
  "simple-rule": idle("dead in the original"),
  "dns-resolve": idle("dead in the original: names are always looked up here"),
});

export type RawConfig = z.output<typeof rawConfig>;

/** Refused by name. */
export const laterRawOptions: Later = {
  program: "udp2raw",
  names: [
    ...["lower-level", "dev", "fifo", "force-sock-buf", "retry-on-error", "random-drop", "max-rst-to-show", "max-rst-allowed"],
    ...["debug", "unit-test", "pcap-send", "no-pcap-mutex"],
  ],
};
