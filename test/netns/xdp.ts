/** The XDP datapath between namespaces with real sockets: both families, errors, limits, reloads, kill -9, take-over. Needs root. */
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Flow, ForwardStats } from "../../src/forward/datapath.ts";
import { BPFFS, pinnedNames } from "../../src/host/bpf/bpffs.ts";
import { DatapathProcess } from "../xdp/datapath-process.ts";
import { inside, ip, NamespaceSocket, Namespaces } from "../xdp/namespaces.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";
const prefix = `lhx${process.pid % 10_000}`;
const options = { name: prefix, interfaces: ["p0", "p1"], limits: { flowsMax: 16_384, forwardsMax: 256, choicesMax: 65_536 } } as const;
const one = { name: "one", listen: "10.1.0.1:5000", to: ["10.2.0.2:6000"] };
const six = { name: "six", listen: "[fd01::1]:5000", to: ["[fd02::2]:6000"] };
let net: Namespaces;
const sockets: NamespaceSocket[] = [];
let datapath: DatapathProcess | undefined;

interface Stats {
  readonly forwards: Readonly<Record<string, ForwardStats>>;
  readonly counters: Readonly<Record<string, number>>;
}

if (skip === false) {
  before(() => {
    net = new Namespaces(prefix);
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.close();
  });
  after(async () => {
    await datapath?.close(false);
    net.remove();
  });
}

function socket(
  namespace: string,
  ...args: [bind: { host: string; port: number }, connect?: { host: string; port: number }]
): NamespaceSocket {
  const made = new NamespaceSocket(namespace, ...args);
  sockets.push(made);
  return made;
}

/** A client with its flow, and a backend that answers with the address it saw. */
class Pair {
  readonly client: NamespaceSocket;
  readonly backend: NamespaceSocket;
  sent = 0;
  answered = 0;
  seenAs = "";

  constructor(family: 4 | 6, listen: number, backend = 6000) {
    const [own, proxy, far] = family === 4 ? ["10.1.0.2", "10.1.0.1", "10.2.0.2"] : ["fd01::2", "fd01::1", "fd02::2"];
    this.client = socket(net.client, { host: own!, port: 0 }, { host: proxy!, port: listen });
    this.backend = socket(net.backend, { host: far!, port: backend });
  }

  /** Sends so many and waits until all are answered, or a while. */
  async burst(count: number, patienceMs = 3000): Promise<void> {
    const wanted = this.answered + count;
    for (let i = 0; i < count; i++, this.sent++) this.client.send(`packet ${this.sent}`);
    const until = performance.now() + patienceMs;
    do {
      while (typeof this.backend.receive() === "object") this.backend.reply();
      for (let answer = this.client.receive(); typeof answer === "object"; answer = this.client.receive()) {
        this.answered++;
        this.seenAs = answer.toString();
      }
      if (this.answered >= wanted) return;
      await sleep(0);
    } while (performance.now() < until);
  }

  /** Until a packet is answered: neighbours are known then. */
  async begin(): Promise<void> {
    for (let i = 0; i < 100 && this.answered === 0; i++) await this.burst(1, 100);
    this.sent = this.answered;
  }

  /** Traffic as long as `work` lasts, and a little longer. */
  async during<T>(work: Promise<T>): Promise<T> {
    let busy = true;
    const flow = (async () => {
      while (busy) {
        await this.burst(16, 1000);
        await sleep(0);
      }
      await this.burst(16, 1000);
    })();
    try {
      return await work;
    } finally {
      busy = false;
      await flow;
    }
  }

  close(): void {
    for (const each of [this.client, this.backend]) {
      each.close();
      sockets.splice(sockets.indexOf(each), 1);
    }
  }
}

test("both families go there and back, and the backend sees the proxy", { skip }, async () => {
  datapath = await DatapathProcess.start(net.proxy, options);
  await datapath.ask({ apply: [one, six] });
  await sleep(50);
  for (const [family, name] of [
    [4, "one"],
    [6, "six"],
  ] as const) {
    const pair = new Pair(family, 5000);
    await pair.begin();
    await pair.burst(50);
    assert.equal(pair.answered, pair.sent, name);
    if (family === 4) assert.match(pair.seenAs, /^10\.2\.0\.1 \d+/);
    const { forwards }: Stats = await datapath.ask<Stats>({ stats: true });
    assert.deepEqual([forwards[name]!.packetsIn, forwards[name]!.packetsOut, forwards[name]!.flows], [pair.answered, pair.answered, 1]);
    pair.close();
  }
  const flows = await datapath.ask<Flow[]>({ flows: 10 });
  assert.deepEqual(flows.map(({ forward }) => forward).sort(), ["one", "six"]);
});

test("an answer that nobody listens reaches the client, translated", { skip }, async () => {
  await datapath!.ask({ apply: [one, six, { name: "deaf", listen: "10.1.0.1:5009", to: ["10.2.0.2:6009"] }] });
  const client = socket(net.client, { host: "10.1.0.2", port: 0 }, { host: "10.1.0.1", port: 5009 });
  client.send("is anybody there");
  await sleep(100);
  assert.equal(client.receive(), -111, "ECONNREFUSED");
});

test("a packet too big for the way is answered, and the client learns the size", { skip }, async () => {
  ip(`-n ${net.proxy} link set p1 mtu 1300`);
  await sleep(100);
  const pair = new Pair(4, 5000);
  await pair.begin();
  pair.client.send(new Uint8Array(1400));
  await sleep(100);
  assert.match(inside(net.client, "ip route get 10.1.0.1"), /mtu 1300/);
  ip(`-n ${net.proxy} link set p1 mtu 1500`);
  pair.close();
});

test("limits hold and count", { skip }, async () => {
  await datapath!.ask({ apply: [one, six, { name: "few", listen: "10.1.0.1:5010", to: ["10.2.0.2:6010"], packetlimit: 50 }] });
  const pair = new Pair(4, 5010, 6010);
  await pair.burst(400, 500);
  const { forwards } = await datapath!.ask<Stats>({ stats: true });
  // A burst of a second's worth, and what a second or two allow.
  assert.ok(pair.answered >= 50 && pair.answered < 200, `${pair.answered} answered`);
  assert.equal(forwards.few!.packetsIn + forwards.few!.limited, 400);
  pair.close();
});

test("nothing is lost while forwards are written anew", { skip }, async () => {
  const pair = new Pair(4, 5000);
  await pair.begin();
  await pair.during(datapath!.ask({ apply: [one, six], times: 200 }));
  assert.equal(pair.answered, pair.sent);
  assert.ok(pair.sent > 50, `${pair.sent} packets`);
  pair.close();
});

test("flows go on when the process is killed, and with the one that follows", { skip }, async () => {
  const pair = new Pair(4, 5000);
  await pair.begin();
  await pair.burst(5);
  const seenAs = pair.seenAs;
  await datapath!.kill();
  await pair.burst(100);
  assert.equal(pair.answered, pair.sent, "without a process");
  datapath = await pair.during(DatapathProcess.start(net.proxy, options));
  await pair.during(datapath.ask({ apply: [one, six] }));
  await pair.burst(100);
  assert.equal(pair.answered, pair.sent, "with the next one");
  assert.equal(pair.seenAs, seenAs, "the same flow");
  const { forwards } = await datapath.ask<Stats>({ stats: true });
  assert.deepEqual(Object.keys(forwards).sort(), ["one", "six"], "and its forwards are known again");
  pair.close();
});

test("another process with larger tables takes over, flows and all", { skip }, async () => {
  const pair = new Pair(4, 5000);
  await pair.begin();
  await pair.burst(5);
  const seenAs = pair.seenAs;
  const next = await pair.during(
    DatapathProcess.start(net.proxy, { ...options, limits: { ...options.limits, flowsMax: 32_768, forwardsMax: 1024 } }),
  );
  await pair.during(next.ask({ apply: [one, six] }));
  await pair.during(datapath!.kill());
  datapath = next;
  await pair.burst(100);
  assert.equal(pair.answered, pair.sent);
  assert.equal(pair.seenAs, seenAs);
  pair.close();
});

test("a forward that is removed takes its flows along", { skip }, async () => {
  const pair = new Pair(4, 5000);
  await pair.begin();
  await pair.burst(5);
  await datapath!.ask({ apply: [six] });
  const { answered } = pair;
  await pair.burst(5, 200);
  assert.equal(pair.answered, answered);
  pair.close();
});

test("generic mode does the same", { skip }, async () => {
  await datapath!.close(false);
  datapath = await DatapathProcess.start(net.proxy, { ...options, mode: "generic" });
  await datapath.ask({ apply: [one, six] });
  await sleep(50);
  for (const family of [4, 6] as const) {
    const pair = new Pair(family, 5000);
    await pair.begin();
    await pair.burst(20);
    assert.equal(pair.answered, pair.sent);
    pair.close();
  }
});

test("when it is closed nothing of it stays", { skip }, async () => {
  await datapath!.close(false);
  datapath = undefined;
  assert.deepEqual(pinnedNames(`${BPFFS}/longhaul/${prefix}`), []);
  const pair = new Pair(4, 5000);
  await pair.burst(3, 100);
  assert.equal(pair.answered, 0);
});
