/**
 * Sessions with several ways between two namespaces, live: a steady stream goes on, byte for byte, over whatever the network does to one of them.
 *
 *   node test/netns/ways.ts [--only TEXT]          needs root, ../shared/netlab
 *
 * No pause is longer than 300 ms, as in virtual time (sim/ways.test.ts), and as long as this machine's own timers were late.
 */

import { type Check, Tally } from "../interop/checks.ts";
import { type Child, Children, longhaul, root, sleep, waitFor } from "../interop/children.ts";
import { Netlab, netlabMissing } from "../interop/netlab.ts";
import type { StreamFacts } from "../interop/steady-stream.ts";
import { parseArgs } from "../script-args.ts";

const { values } = parseArgs({ options: { only: { type: "string", default: "" } } });
const missing = netlabMissing();
if (missing !== undefined) {
  console.log(`skipped: ${missing}\n0 passed, 0 failed, 1 skipped`);
  process.exit(0);
}

const [ENTRY, TARGET] = [1936, 7001];
const PAUSE_MS = 300;
const link = "delay=30 loss=0.5% rate=20mbit qbytes=256k";
const policed = `${link} udprate=1mbit udpburst=32k`;
const settings = ["--key", "of the ways", "--mode", "auto", "--nocomp", "true"];
const stream = [process.execPath, `${root}/test/interop/steady-stream.ts`];
const children = new Children();
let labs = 0;

interface Scene {
  readonly link: string;
  /** Of a second link between the two. */
  readonly second?: string;
  readonly server?: readonly string[];
  readonly paths: readonly string[];
  /** Bytes in 10 ms. */
  readonly bytes?: number;
  readonly seconds: number;
  /** Where the server is; its address on the first link by default. */
  readonly remote?: string;
  /** Before both ends begin. */
  prepare?(lab: Netlab): void;
  /** Given to where the client's session begins to be ready. */
  readonly ready?: string;
  play?(lab: Netlab): Promise<void>;
  /** What is wrong, from the log of the client. */
  judge(log: string, lab: Netlab): string | undefined;
  /** The longest pause is looked at: no longer than so many ms, PAUSE_MS where it says only yes. */
  readonly steady?: boolean | number;
  /** Of the client, besides. */
  readonly client?: readonly string[];
}

const moves = (log: string): string[] =>
  [...log.matchAll(/"way":"([^"]*)","reason":"([^"]*)"/g)].map(([, way, reason]) => `${reason}: ${way}`);
const last = (child: Child): StreamFacts => JSON.parse(child.output().trim().split("\n").at(-1)!);

const scene =
  ({
    link: first,
    second,
    server = [],
    paths,
    bytes = 1000,
    seconds,
    play,
    judge,
    steady = false,
    remote = "10.200.0.2:29900",
    prepare,
    client = [],
    ready = "the peer is a Longhaul",
  }: Scene): Check =>
  async () => {
    const lab = new Netlab(`lhway${process.pid}x${labs++}`, first);
    try {
      if (second !== undefined) lab.join(1, second, 5);
      prepare?.(lab);
      const [c, s] = [lab.prefix("c"), lab.prefix("s")];
      const target = children.start("target", [...stream, "serve", String(TARGET)], s);
      await waitFor(target, "listening");
      const far = children.start("server", [longhaul, "server", "-l", ":29900", "-t", `127.0.0.1:${TARGET}`, ...settings, ...server], s);
      await waitFor(far, "listening");
      const ways = paths.flatMap((path) => ["--path", path]);
      const near = children.start("client", [longhaul, "client", "-l", `:${ENTRY}`, "-r", remote, ...settings, ...ways, ...client], c);
      await waitFor(near, ready);
      await sleep(1000);
      const run = children.start("run", [...stream, "run", String(ENTRY), String(seconds), String(bytes)], c);
      await Promise.all([run.exited, play?.(lab)]);
      for (let left = 40; left > 0 && !target.output().includes('"ended":true'); left--) await sleep(100);
      const facts = last(target);
      console.log(`       ${JSON.stringify(facts)}; ${moves(near.output()).join(", ")}`);
      if (!facts.ended || facts.wrong > 0 || facts.received !== seconds * 100 * bytes) return "the stream is not whole";
      if (steady !== false && facts.pauseMs > (steady === true ? PAUSE_MS : steady) + facts.lateMs)
        return `a pause of ${facts.pauseMs} ms, ${facts.lateMs} of them this machine's`;
      return judge(near.output(), lab);
    } finally {
      await children.endAll();
      lab.down();
    }
  };

const movedTo =
  (way: string): Scene["judge"] =>
  (log) => {
    const all = moves(log);
    return all.length === 1 && all[0]!.endsWith(way) ? undefined : `ways: ${all.join(", ") || "the first one all the time"}`;
  };

/** One address of the server that both links lead to: the route takes the first, and the second for what leaves from 10.200.1.1. */
const behindBoth = (lab: Netlab): void => {
  lab.exec("s", ..."ip address add 10.99.0.1/32 dev lo".split(" "));
  for (const words of [
    "route add 10.99.0.1 via 10.200.0.2 metric 100",
    "route add 10.99.0.1 via 10.200.1.2 metric 200",
    "rule add from 10.200.1.1 table 7",
    "route add 10.99.0.1 via 10.200.1.2 table 7",
  ])
    lab.exec("c", "ip", ...words.split(" "));
};

const checks: Record<string, Check> = {
  "UDP is policed: on faketcp by another interface, whole, and it stays there": scene({
    link: policed,
    second: link,
    prepare: behindBoth,
    server: ["--carrier", "udp,faketcp=:29901"],
    remote: "10.99.0.1:29900%wan0",
    paths: ["faketcp=10.99.0.1:29901%wan1"],
    bytes: 5000,
    seconds: 8,
    judge: movedTo("faketcp=10.99.0.1:29901%wan1"),
  }),
  "UDP is policed: on TCP": scene({
    link: policed,
    server: ["--carrier", "udp,tcp=:29902"],
    paths: ["tcp=10.200.0.2:29902"],
    bytes: 5000,
    seconds: 8,
    judge: movedTo("tcp=10.200.0.2:29902"),
  }),
  "UDP is blocked from the beginning: on TCP from another address": scene({
    link: `${link} udpdrop=1`,
    second: `${link} udpdrop=1`,
    prepare: behindBoth,
    server: ["--carrier", "udp,tcp=:29902"],
    remote: "10.99.0.1:29900",
    paths: ["tcp=10.99.0.1:29902%10.200.1.1"],
    seconds: 4,
    judge: (log, lab) => {
      const { out } = lab.stats(1).ab;
      return out[0] < 100 ? `${out[0]} packets by the second link` : movedTo("tcp=10.99.0.1:29902%10.200.1.1")(log, lab);
    },
  }),
  "UDP is blocked in mid-stream, and comes back: TCP meanwhile": scene({
    link,
    server: ["--carrier", "udp,tcp=:29902"],
    paths: ["tcp=10.200.0.2:29902"],
    seconds: 14,
    steady: true,
    play: async (lab) => {
      await sleep(2500);
      lab.set("udpdrop=1");
      await sleep(3500);
      lab.set("udpdrop=0");
    },
    judge: (log) => {
      const all = moves(log).join(", ");
      return all === "silent: tcp=10.200.0.2:29902, back: udp=10.200.0.2:29900" ? undefined : all;
    },
  }),
  "two interfaces to one address, one is cut; a way that nobody answers and one by an interface that is not there hold up nothing": scene({
    link,
    second: link,
    prepare: behindBoth,
    remote: "10.99.0.1:29900%wan0",
    paths: ["faketcp=10.200.0.2:29909", "10.99.0.1:29900%eth99", "10.99.0.1:29900%wan1"],
    seconds: 6,
    steady: true,
    play: async (lab) => {
      await sleep(2500);
      lab.set("down=1");
    },
    judge: (log, lab) => {
      if (!log.includes("a way cannot be used for now")) return "nobody says that the interface is not there";
      return movedTo("10.99.0.1:29900%wan1")(log, lab);
    },
  }),
};

// Without losses of their own: when one is cut the other is alone, and what is lost there waits for a round trip as ever.
const lossless = "delay=30 rate=20mbit qbytes=256k";
checks["everything over both ways: one is cut, and nothing pauses"] = scene({
  link: lossless,
  second: lossless,
  prepare: behindBoth,
  remote: "10.99.0.1:29900%wan0",
  paths: ["10.99.0.1:29900%wan1"],
  client: ["--copies", "1"],
  seconds: 6,
  // The stream says something every 10 ms; without copies it pauses for a round trip of 60 ms and some 50 more.
  steady: 75,
  play: async (lab) => {
    await sleep(2500);
    lab.set("down=1");
  },
  judge: (log, lab) => {
    const {
      in: [packets],
    } = lab.stats(1).ab;
    return packets < 500 ? `${packets} packets by the second link` : movedTo("10.99.0.1:29900%wan1")(log, lab);
  },
});

checks["doctor: a policer is found, and told from a way without one"] = async () => {
  const lab = new Netlab(`lhway${process.pid}x${labs++}`, policed);
  try {
    const far = children.start("server", [longhaul, "server", "-l", ":29900", "-t", "127.0.0.1:9", ...settings], lab.prefix("s"));
    await waitFor(far, "listening");
    for (const policedNow of [true, false]) {
      if (!policedNow) lab.set("udprate=0");
      const run = children.start(
        "doctor",
        [longhaul, "doctor", "-r", "10.200.0.2:29900", "--key", "of the ways", "--json"],
        lab.prefix("c"),
      );
      if ((await run.exited) !== 0) return run.output();
      const { sentences }: { sentences: readonly string[] } = JSON.parse(run.output());
      console.log(`       ${sentences.join(" ")}`);
      if (sentences.some((sentence) => sentence.includes("policed")) !== policedNow) return "wrong about the policer";
    }
    return undefined;
  } finally {
    await children.endAll();
    lab.down();
  }
};

const wanted = Object.fromEntries(Object.entries(checks).filter(([name]) => name.includes(values.only)));
const tally = new Tally();
try {
  await tally.run(wanted, children);
} finally {
  await children.endAll();
}
tally.end();
