/** Options of `longhaul edge`. What it serves is accelerate/edge-config.ts. */
import { z } from "zod";

const count = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

export const edgeOptions = z.strictObject({
  file: z.string().default("").describe("what is served, as JSON or YAML; --config means the same. Read anew at SIGHUP"),
  join: z
    .string()
    .default("")
    .describe("a token of an installation, of use once: what is served comes from its control processes")
    .meta({ secret: true }),
  state: z
    .string()
    .default("")
    .describe("folder for who the edge is and what it served last; by default /var/lib/longhaul/edge, or below the home folder"),
  workers: count(0, 64).default(1).describe("threads that move traffic, each with its share of all limits; 0: one for each processor"),
  flows: count(1, 4_000_000).default(200_000).describe("most flows at once"),
  places: count(1, 100_000).default(8192).describe("most places (an address and a port) that are opened"),
  buffers: count(1, 1_000_000).default(4096).describe("most buffers of 64 KiB for bytes that one side sent and the other did not take yet"),
  datapath: z
    .enum(["userspace", "auto", "xdp", "nftables"])
    .default("userspace")
    .describe(
      "who moves UDP: userspace, this process; auto, the kernel by XDP or nftables where it can do it alone (root), the rest this process",
    ),
  tunnels: z
    .string()
    .default("")
    .describe(
      "file (JSON or YAML) of tunnels to machines beside endpoints: {NAME: {remoteaddr, key, …}}, the options of longhaul client, mode auto by default",
    ),
  flowlogs: z
    .string()
    .default("")
    .describe(
      "where flow logs of accelerators that have them go: a folder, a folder in it for each bucket, or http(s):// address of a store that speaks S3; flowlogs in --state if not given",
    ),
  flowlogskey: z.string().default("").describe("with an S3 store in --flowlogs: access key ID"),
  flowlogssecret: z.string().default("").describe("with an S3 store in --flowlogs: secret access key").meta({ secret: true }),
  flowlogsregion: z.string().default("us-east-1").describe("with an S3 store in --flowlogs: its region"),
  flowlogsdays: count(1, 3650).default(7).describe("with a folder in --flowlogs: files older than so many days are removed"),
  connecttimeout: count(50, 60_000)
    .default(2000)
    .describe("milliseconds an endpoint may take to accept a connection before another one is tried"),
  drain: count(0, 86_400).default(0).describe("seconds that flows are given to end by themselves when the edge is stopped"),
  interface: z
    .string()
    .max(15)
    .default("")
    .describe("interface at which accelerators' addresses are put, such as lo (root); by default they are there already"),
  bird: z.string().default("").describe("file of BIRD 2's configuration that is written, to announce the addresses that can be served"),
  birdsocket: z.string().default("/run/bird/bird.ctl").describe("BIRD's control socket"),
  birdas: count(1, 4_294_967_295).default(64_512).describe("our autonomous system"),
  birdneighbor: z
    .array(z.string())
    .max(64)
    .default([])
    .describe(
      "routers that are told, by BGP and BFD: ADDRESS@AS; none: the file has the routes alone, for a configuration of yours to include",
    ),
  birdid: z.ipv4().default("127.0.0.1").describe("router id: any IPv4 address of this machine"),
  bfd: count(10, 10_000).default(100).describe("milliseconds between two of BFD's packets; three lost ones are a lost neighbour"),
  metrics: z
    .string()
    .default("")
    .describe("serve /metrics, /status, /flows and /healthz here: host:port, a port of this machine, or a path"),
  dns: z.string().default("").describe("answer for the accelerators' names here, by UDP and TCP: host:port; the host as a literal address"),
  dnszone: z.string().max(200).default("").describe("the zone that the names are in, as given to control by --domain"),
  dnsserver: z
    .array(z.string())
    .max(16)
    .default([])
    .describe("names of the zone's name servers, this one's first; they lie outside the zone, whose parent delegates to them"),
  dnsrate: count(1, 1_000_000).default(200).describe("answers by UDP a second for a network (/24, /56); the rest are told to ask by TCP"),
  json: z.stringbool().default(false).describe("for status and flows: print JSON"),
  limit: count(1, 1_000_000).default(100).describe("for flows: most that are shown"),
  ttl: count(1, 86_400).default(300).describe("seconds that answers about names may be kept, by --dns and by zone"),
  action: z.array(z.string()).max(1).default([]).describe("run (default); status; flows; zone").meta({ operands: "run|status|flows|zone" }),
});
export type EdgeOptions = z.output<typeof edgeOptions>;
