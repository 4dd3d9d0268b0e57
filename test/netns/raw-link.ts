/**
 * `longhaul raw` at both ends of bad links, in two namespaces: loss, reordering, a policer of UDP, an outage of 20 s. Where LONGHAUL_UDP2RAW names the real
 * program, the outage with it in either role too. At the end a client that is killed and started anew at the same source port.
 *
 *   node test/netns/raw-link.ts [--only WORDS]          needs root, ../shared/netlab
 *
 * An application sends numbered datagrams from one socket all the time and is echoed; what comes back is counted.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type Child, Children, longhaul, root, signalGroup, sleep, waitFor } from "../interop/children.ts";
import { Netlab, netlabMissing } from "../interop/netlab.ts";
import { parseArgs } from "../script-args.ts";

const { values } = parseArgs({ options: { only: { type: "string", default: "" } } });
const udp2raw = process.env.LONGHAUL_UDP2RAW ?? "";
const missing = netlabMissing();
if (missing !== undefined) {
  console.log(`skipped: ${missing}\n0 passed, 0 failed, 1 skipped`);
  process.exit(0);
}

type Who = "ours" | "theirs";

interface Scene {
  readonly name: string;
  readonly link: string;
  readonly client?: Who;
  readonly server?: Who;
  readonly options?: readonly string[];
  readonly talk?: { readonly everyMs: number; readonly bytes: number };
  /** What happens while the application talks. */
  play(stage: Stage): Promise<void>;
}

class Stage {
  readonly lab: Netlab;
  readonly children: Children;
  readonly echo: Child;
  readonly server: Child;
  client: Child;
  readonly #talk: Child;
  readonly #startClient: () => Child;

  constructor(lab: Netlab, children: Children, echo: Child, server: Child, startClient: () => Child, talk: Child) {
    this.lab = lab;
    this.children = children;
    this.echo = echo;
    this.server = server;
    this.#startClient = startClient;
    this.client = startClient();
    this.#talk = talk;
  }

  /** Numbers that have come back so far. */
  echoes(): number[] {
    return [...this.#talk.output().matchAll(/"number":(\d+)/g)].map(([, number]) => Number(number));
  }

  /** Waits until one comes back that was sent from now on. */
  async heard(ms: number): Promise<void> {
    const before = this.echoes().length;
    for (let left = ms; left > 0; left -= 50) {
      if (this.echoes().length > before + 2) return;
      await sleep(50);
    }
    throw new Error(`nothing came back in ${ms} ms:\n${this.client.output().slice(-1500)}\n${this.server.output().slice(-1500)}`);
  }

  /** Share of what was sent in the next `ms` and came back. */
  async share(ms: number): Promise<number> {
    const first = Math.max(-1, ...this.echoes()) + 1;
    await sleep(ms);
    const back = this.echoes().filter((number) => number >= first);
    return new Set(back).size / (Math.max(...back, first) - first + 1);
  }

  async restartClient(): Promise<void> {
    signalGroup(this.client.process, "SIGKILL");
    await this.client.exited;
    this.client = this.#startClient();
  }

  /** How many senders the echo has seen: conversations of the server. */
  get senders(): number {
    return this.echo.output().split("from ").length - 1;
  }
}

const outage: Scene["play"] = async (stage) => {
  await stage.heard(15_000);
  stage.lab.set("down=1");
  await sleep(20_000);
  const before = stage.echoes().length;
  stage.lab.set("down=0");
  await stage.heard(20_000);
  const share = await stage.share(3000);
  console.log(
    `  ${before} before and in the outage, then ${(share * 100).toFixed(1)} % came back, senders seen by the target: ${stage.senders}`,
  );
  assert.ok(share > 0.95);
  assert.equal(stage.senders, 1, "the conversation has lived on");
};

function steady(least: number, ms = 6000): Scene["play"] {
  return async (stage) => {
    await stage.heard(20_000);
    const share = await stage.share(ms);
    console.log(`  ${(share * 100).toFixed(1)} % came back (at least ${least * 100} % wanted)`);
    assert.ok(share >= least);
    assert.doesNotMatch(stage.client.output(), /raw connection is lost/);
  };
}

const policed = "delay=50 loss=0.5% rate=20mbit qbytes=256k udprate=1mbit udpburst=32k";
const stream = { everyMs: 5, bytes: 1200 };
const scenes: readonly Scene[] = [
  { name: "loss of 10 % each way", link: "delay=50 loss=10%", play: steady(0.75) },
  { name: "30 % reordered, by up to 60 ms", link: "delay=50 jitter=30 reorder=1 rextra=0.1:60", play: steady(0.97) },
  { name: "1.9 Mbit/s where UDP is policed to 1 Mbit/s: faketcp", link: policed, talk: stream, play: steady(0.95) },
  {
    name: "the same as raw mode udp: the policer is there",
    link: policed,
    talk: stream,
    options: ["--raw-mode", "udp"],
    play: async (stage) => {
      await stage.heard(20_000);
      const share = await stage.share(6000);
      console.log(`  ${(share * 100).toFixed(1)} % came back`);
      assert.ok(share < 0.9);
    },
  },
  {
    name: "past routing, packets that leave as one, through a device that does not split them",
    link: "delay=5",
    options: ["--lower-level", "auto"],
    talk: { everyMs: 1, bytes: 1200 },
    play: async (stage) => {
      await steady(0.99)(stage);
      for (const child of [stage.client, stage.server]) await stage.children.end(child);
      for (const child of [stage.client, stage.server]) assert.match(child.output(), /"sentMerged":[1-9]/);
    },
  },
  { name: "outage of 20 s", link: "delay=20", play: outage },
  { name: "outage of 20 s, icmp", link: "delay=20", options: ["--raw-mode", "icmp"], play: outage },
  ...(udp2raw === ""
    ? []
    : ([
        { name: "outage of 20 s, our client with udp2raw's server", link: "delay=20", server: "theirs", play: outage },
        { name: "outage of 20 s, udp2raw's client with our server", link: "delay=20", client: "theirs", play: outage },
      ] as const)),
  {
    name: "a client killed and started anew at the same source port",
    link: "delay=20",
    options: ["--source-port", "30000"],
    play: async (stage) => {
      await stage.heard(15_000);
      for (let times = 0; times < 2; times++) {
        await stage.restartClient();
        await waitFor(stage.client, "raw connection is ready", 8000);
        // One attempt was enough: the first handshake was answered.
        assert.doesNotMatch(stage.client.output(), /"timeouts":[1-9]/);
        await stage.heard(5000);
      }
      assert.equal(stage.senders, 3, "each client has conversations of its own");
    },
  },
];

const end = join(root, "test/interop/raw-end.ts");
let [passed, failed] = [0, 0];

async function show(scene: Scene, index: number): Promise<void> {
  const lab = new Netlab(`lr${process.pid}n${index}`, scene.link, 7);
  const children = new Children();
  try {
    await scene.play(await set(scene, lab, children));
    passed++;
    console.log(`ok     ${scene.name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED ${scene.name}: ${(error as Error).message}`);
  } finally {
    await children.endAll();
    lab.down();
  }
}

const wanted = scenes.filter(({ name }) => name.includes(values.only));
// Who waits for a link to come back takes no processor time from another: all outages at once, beside the others one by one.
const waiting = wanted.filter(({ play }) => play === outage).map(show);
for (const [index, scene] of wanted.filter(({ play }) => play !== outage).entries()) await show(scene, waiting.length + index);
await Promise.all(waiting);
console.log(`${passed} passed, ${failed} failed, ${udp2raw === "" ? 1 : 0} skipped`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

async function set({ client = "ours", server = "ours", options = [], talk }: Scene, lab: Netlab, children: Children): Promise<Stage> {
  const [c, s] = [lab.prefix("c"), lab.prefix("s")];
  const command = (who: Who): string[] => (who === "ours" ? [longhaul, "raw"] : [udp2raw]);
  const modes = ["--auth-mode", "hmac_sha1", "-k", "link", "-a"];
  const near = options.filter((word, i) => word !== "--source-port" && options[i - 1] !== "--source-port");
  const echo = children.start("echo", [process.execPath, end, "echo", "7777"], s);
  await waitFor(echo, "listening");
  const farEnd = children.start("server", [...command(server), "-s", "-l", "0.0.0.0:4096", "-r", "127.0.0.1:7777", ...modes, ...near], s);
  await (server === "ours" ? waitFor(farEnd, "carrying") : sleep(700));
  const startClient = (): Child =>
    children.start(
      "client",
      [...command(client), "-c", "-l", "127.0.0.1:3333", "-r", `${Netlab.serverAddress}:4096`, ...modes, ...options],
      c,
    );
  const plan = { to: 3333, everyMs: 20, bytes: 400, ...talk };
  return new Stage(
    lab,
    children,
    echo,
    farEnd,
    startClient,
    children.start("talk", [process.execPath, end, "talk", JSON.stringify(plan)], c),
  );
}
