/**
 * Options of `longhaul live`: the one source of flags, environment names, JSON keys and help.
 */
import { z } from "zod";

const count = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

export const channelName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "1 to 64 letters, digits, - and _");
const streamKey = z.string().regex(/^[A-Za-z0-9_-]{8,128}$/, "8 to 128 letters, digits, - and _");

export const liveConfig = z.strictObject({
  rtmp: z.string().default(":1935").describe("where encoders publish (RTMP): host:port"),
  proxyprotocol: z
    .stringbool()
    .default(false)
    .describe(
      "RTMP and RTMPS connections begin with a PROXY protocol v2 header, as longhaul server --proxyprotocol and load balancers send it: encoders are known by their true address. For addresses that only those reach",
    ),
  srt: z
    .string()
    .default("")
    .describe(
      "where encoders publish by SRT (UDP), the stream key as streamid: host:port; needs srt-live-transmit (Debian: srt-tools); off if not given",
    ),
  srtlatency: count(20, 8000).default(120).describe("least ms that SRT has to send lost datagrams again; an encoder may ask for more"),
  srtpassphrase: z
    .union([z.literal(""), z.string().regex(/^[A-Za-z0-9._~-]{10,79}$/, "10 to 79 letters, digits and - . _ ~")])
    .default("")
    .describe(
      "without --data: passphrase that SRT streams must be encrypted with, 10 to 79 letters, digits and - . _ ~; with --data every channel has its own",
    )
    .meta({ secret: true }),
  http: z.string().default(":8080").describe("where viewers fetch playlists, media and the page (HTTP): host:port"),
  proxies: z
    .string()
    .default("")
    .describe(
      "addresses and prefixes, separated by commas, of proxies and CDNs before --http, whose X-Forwarded-For is believed: viewers are counted, and countries and wrong keys told apart, by their true address",
    ),
  channels: z
    .record(channelName, streamKey)
    .default({})
    .refine(
      (channels) => new Set(Object.values(channels)).size === Object.keys(channels).length,
      "every channel needs a stream key of its own",
    )
    .describe("channel name → stream key; an encoder publishes to the channel whose key it shows")
    .meta({ secret: true, alias: ["channel"] }),
  part: count(50, 1000).default(200).describe("duration of a part in ms; the delay of a viewer is about four of them"),
  segment: count(1000, 10_000)
    .default(2000)
    .describe("duration of a segment in ms; the encoder's key frames should be as far apart, or a whole fraction"),
  window: count(4, 100).default(10).describe("segments in the playlist"),
  kept: count(1, 100).default(4).describe("segments that can still be fetched after they left the playlist"),
  memory: count(8, 4096).default(96).describe("MiB of media held for one channel"),
  connections: count(1, 10_000).default(64).describe("most encoders connected at once"),
  publishwait: count(1, 300).default(10).describe("seconds an encoder may take from connecting to publishing"),
  idle: count(2, 3600).default(30).describe("seconds without a byte after which an encoder is given up"),
  takeover: count(1, 3600)
    .default(5)
    .describe("seconds without a byte after which another encoder with the same key may take the channel over"),
  waiting: count(1, 1_000_000).default(20_000).describe("most requests that wait for a part to be made, of one channel"),
  metrics: z
    .string()
    .default("")
    .describe(
      "serve /metrics (Prometheus), /status and /healthz here: port (loopback only), host:port or unix socket path; off if not given",
    ),
  viewers: count(0, 10_000).default(200).describe("most viewers by WebRTC (WHEP) at once"),
  encodings: count(1, 4)
    .default(3)
    .describe("most encodings of one picture (simulcast) taken from a browser by WHIP; the smaller ones are renditions; 1: one alone"),
  tracks: count(1, 8)
    .default(5)
    .describe(
      "most sizes of one picture taken from an encoder by RTMP (multitrack video, Enhanced RTMP); all but one are renditions, without a transcoder; 1: one alone",
    ),
  webrtchost: z
    .union([z.ipv4(), z.ipv6(), z.literal("")])
    .default("")
    .describe("public address of this machine where a NAT hides it, for WebRTC; the addresses of its interfaces are told anyway"),
  webrtcports: z
    .string()
    .regex(/^(\d{1,5}-\d{1,5})?$/, "FROM-TO, or empty for any")
    .default("")
    .describe("UDP ports used for WebRTC, FROM-TO"),
  webrtctcp: z
    .stringbool()
    .default(false)
    .describe("offer TCP too for WebRTC, for browsers whose network drops UDP; its ports are those of webrtcports"),
  data: z
    .string()
    .default("")
    .describe(
      "folder for the database, keys and certificate of channels made by AWS IVS's API; without it there are only those of --channels",
    ),
  api: z.string().default("127.0.0.1:8081").describe("with --data: where AWS IVS's API is served (HTTP, signed requests): host:port"),
  database: z
    .string()
    .default("")
    .describe("with --data: postgres://user:password@host/name instead of SQLite in the folder")
    .meta({ secret: true }),
  rtmps: z.string().default(":1936").describe("with --data: where encoders publish inside TLS (RTMPS): host:port; empty: nowhere"),
  tlscert: z.string().default("").describe("with --data: PEM file of the certificate for RTMPS; one of our own making if not given"),
  tlskey: z.string().default("").describe("with --data: PEM file of its key"),
  name: z
    .string()
    .regex(/^[A-Za-z0-9.:-]{1,253}$/, "a host name or an address")
    .default("localhost")
    .describe("with --data: the name under which encoders and viewers reach this machine"),
  playbackurl: z
    .union([z.literal(""), z.url()])
    .default("")
    .describe("with --data: what playback addresses begin with, where a CDN or proxy stands in front; http:// and --name if not given"),
  region: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, "a region as AWS writes it")
    .default("eu-west-1")
    .describe("with --data: region in the names of channels"),
  account: z
    .string()
    .regex(/^\d{12}$/, "twelve digits")
    .default("000000000000")
    .describe("with --data: account in the names of channels, twelve digits"),
  webhook: z.string().default("").describe("with --data: http(s) address to which events of streams are posted"),
  webhooksecret: z.string().default("").describe("with --data: signs what is posted there").meta({ secret: true }),
  recordings: z
    .string()
    .default("")
    .describe(
      "with --data: folder of recordings, a folder in it for each bucket, or http(s):// address of a store that speaks S3; recordings in --data if not given",
    ),
  recordingskey: z.string().default("").describe("with an S3 store in --recordings: access key ID"),
  recordingssecret: z.string().default("").describe("with an S3 store in --recordings: secret access key").meta({ secret: true }),
  recordingsregion: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/, "a region's name")
    .default("us-east-1")
    .describe("with an S3 store in --recordings: its region"),
  transcoders: count(0, 64)
    .default(2)
    .describe(
      "with --data: most streams of types STANDARD and ADVANCED that get renditions by ffmpeg at once; half a core each or more; 0: none",
    ),
  broadcasts: count(0, 10_000)
    .default(0)
    .describe("with --data: most channels on the air at once, a further one is refused with an event; 0: as many as encoders may connect"),
  views: count(0, 10_000_000).default(0).describe("with --data: most viewers of all channels at once, likewise; 0: no limit"),
  countries: z.string().default("").describe("with --data: MaxMind DB file (.mmdb) that tells countries, for policies that restrict them"),
  offline: count(0, 86_400).default(60).describe("seconds the last segments of a channel stay after its encoder left"),
});

export type LiveConfig = z.output<typeof liveConfig>;
