/**
 * Options of `longhaul raw` that only a running pair shows, in two namespaces: each check fails when its option is ignored.
 *
 *   node test/netns/raw-options.ts [--only WORDS]          needs root, nft, setpriv
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Child, Children, longhaul, root, sleep, waitFor } from "../interop/children.ts";
import { VethPair } from "../interop/veth.ts";
import { parseArgs } from "../script-args.ts";

const { values } = parseArgs({ options: { only: { type: "string", default: "" } } });
const missing = VethPair.missing() ?? (spawnSync("nft", ["-v"]).error === undefined ? undefined : "needs nft");
if (missing !== undefined) {
  console.log(`skipped: ${missing}\n0 passed, 0 failed, 1 skipped`);
  process.exit(0);
}

const children = new Children();
const end = join(root, "test/interop/raw-end.ts");
const server = VethPair.serverAddress[4];
const READY = "raw connection is ready";
const NEAR = ["-c", "-l", "127.0.0.1:3333", "-r", `${server}:4096`];
const FAR = ["-s", "-l", "0.0.0.0:4096", "-r", "127.0.0.1:7777"];

class Pair {
  readonly veth = new VethPair(`lhro${process.pid}`);

  raw(side: "c" | "s", ...words: readonly string[]): Child {
    return this.as(side, [], ...words);
  }

  /** Through another program, such as one that takes capabilities away. */
  as(side: "c" | "s", by: readonly string[], ...words: readonly string[]): Child {
    return children.start(
      side === "c" ? "client" : "server",
      [...by, longhaul, "raw", "-k", "options", "--statussocket", "none", ...words],
      this.veth.prefix(side),
    );
  }

  async both(near: readonly string[] = [], far: readonly string[] = []): Promise<readonly [client: Child, server: Child]> {
    const s = this.raw("s", ...FAR, ...far);
    await waitFor(s, "carrying");
    return [this.raw("c", ...NEAR, ...near), s];
  }

  async exchange(count = 50): Promise<void> {
    const echo = children.start("echo", [process.execPath, end, "echo", "7777"], this.veth.prefix("s"));
    await waitFor(echo, "listening");
    const plan = { to: 3333, count, longest: 1200, patienceMs: 8000 };
    const sender = children.start("sender", [process.execPath, end, "send", JSON.stringify(plan)], this.veth.prefix("c"));
    try {
      await waitFor(sender, '"back"', 40_000);
      assert.match(sender.output(), new RegExp(`"back":${count}\\b`));
    } finally {
      await children.end(sender);
      await children.end(echo);
    }
  }

  page(side: "c" | "s", path: string): string {
    const program = `fetch("http://127.0.0.1:9100${path}").then((a) => a.text()).then((text) => process.stdout.write(text))`;
    return this.veth.run(side, process.execPath, "-e", program);
  }
}

async function silent(client: Child, ms = 2500): Promise<void> {
  await waitFor(client, "carrying");
  await sleep(ms);
  assert.ok(!client.output().includes(READY), client.output());
}

const checks: Readonly<Record<string, (pair: Pair) => Promise<void>>> = {
  "local and remote: datagrams come in and go out where they say": async (pair) => {
    const [client, far] = await pair.both(["-a"], ["-a"]);
    await waitFor(client, READY);
    await pair.exchange();
    await children.end(client);
    await children.end(far);
    const elsewhere = pair.raw("s", "-s", "-l", "127.0.0.1:4096", "-r", "127.0.0.1:7777");
    await waitFor(elsewhere, "carrying");
    // It holds the port of another address only.
    assert.match(pair.veth.run("s", "ss", "-Hltn"), /127\.0\.0\.1:4096/);
  },
  "auto-rule: a rule while it runs, none before and after": async (pair) => {
    assert.equal(pair.veth.run("s", "nft", "list", "tables"), "");
    const far = pair.raw("s", ...FAR, "-a");
    await waitFor(far, "carrying");
    assert.match(pair.veth.run("s", "nft", "list", "ruleset"), /tcp dport 4096 .*drop/);
    await children.end(far);
    assert.equal(pair.veth.run("s", "nft", "list", "tables"), "");
  },
  "gen-add: the rule stays; clear: it goes": async (pair) => {
    const far = pair.raw("s", ...FAR, "--gen-add");
    assert.equal(await far.exited, 0);
    assert.match(pair.veth.run("s", "nft", "list", "ruleset"), /tcp dport 4096 .*drop/);
    const clear = pair.raw("s", "--clear");
    assert.equal(await clear.exited, 0, clear.output());
    assert.equal(pair.veth.run("s", "nft", "list", "tables"), "");
  },
  "source-ip and source-port are what the server sees; metrics and statussocket": async (pair) => {
    pair.veth.run("c", "ip", "address", "add", "10.201.0.9/24", "dev", VethPair.device);
    const socket = join(children.folder, "status.sock");
    const far = children.start(
      "server",
      [longhaul, "raw", "-k", "options", ...FAR, "--metrics", "9100", "--statussocket", socket],
      pair.veth.prefix("s"),
    );
    await waitFor(far, "carrying");
    const client = pair.raw("c", ...NEAR, "--source-ip", "10.201.0.9", "--source-port", "31000");
    await waitFor(client, READY);
    await sleep(300);
    const status = JSON.parse(pair.page("s", "/status")) as { carriers: { connections: { peer: string; ours: boolean }[] }[] };
    assert.deepEqual(
      status.carriers[0]!.connections.map(({ peer, ours }) => ({ peer, ours })),
      [{ peer: "10.201.0.9:31000", ours: true }],
    );
    assert.match(pair.page("s", "/metrics"), /^longhaul_raw_connections\{[^}]*role="server"[^}]*\} 1$/m);
    assert.ok(existsSync(socket));
    assert.match(pair.veth.run("s", longhaul, "top", socket, "--once"), /^raw [\s\S]*10\.201\.0\.9:31000/m);
  },
  "dev: what comes by another interface is not heard": async (pair) => {
    const [client, far] = await pair.both([], ["--dev", "lo"]);
    await silent(client);
    await children.end(far);
    pair.raw("s", ...FAR, "--dev", VethPair.device);
    await waitFor(client, READY);
    await children.end(client);
    const wrong = pair.raw("c", ...NEAR, "--dev", "wan7");
    assert.equal(await wrong.exited, 1);
    assert.match(wrong.output(), /wan7/);
  },
  "lower-level: past the firewall's output rules": async (pair) => {
    pair.veth.run(
      "c",
      "nft",
      "add table inet block; add chain inet block out { type filter hook output priority 0; }; add rule inet block out tcp dport 4096 drop",
    );
    const [client] = await pair.both();
    await silent(client);
    await children.end(client);
    const mac = pair.veth.run("s", "cat", `/sys/class/net/${VethPair.device}/address`).trim();
    const past = pair.raw("c", ...NEAR, "--lower-level", `${VethPair.device}#${mac}`);
    await waitFor(past, READY);
    await pair.exchange();
    pair.veth.run("c", "nft", "flush", "ruleset");
    await children.end(past);
    const auto = pair.raw("c", ...NEAR, "--lower-level", "auto");
    await waitFor(auto, READY);
    pair.veth.run(
      "c",
      "nft",
      "add table inet block; add chain inet block out { type filter hook output priority 0; }; add rule inet block out tcp dport 4096 drop",
    );
    await pair.exchange();
  },
  "lower-level: by the link of itself, as long as no output rule, route or neighbour says otherwise": async (pair) => {
    const { veth } = pair;
    const byLink = (): number => Number(/event="sent_by_link"[^}]*\} (\d+)/.exec(pair.page("c", "/metrics"))?.[1]);
    const seen = (side: "c" | "s"): number =>
      Number(/counter packets (\d+)/.exec(veth.run(side, "nft", "list", "table", "netdev", "look"))?.[1]);
    const grown = async (): Promise<number> => {
      // After a second without packets the first one has the rules looked at anew.
      await sleep(1200);
      const before = byLink();
      await pair.exchange(200);
      return byLink() - before;
    };
    const far = pair.raw("s", ...FAR);
    await waitFor(far, "carrying");
    const client = pair.raw("c", ...NEAR, "--metrics", "9100");
    await waitFor(client, READY);
    assert.ok((await grown()) >= 150, "by the link");
    veth.run("c", "nft", "add table inet own; add chain inet own out { type filter hook output priority 0; }");
    assert.ok((await grown()) >= 150, "a chain without rules");
    veth.run("c", "nft", "add rule inet own out tcp dport 4096 counter");
    assert.equal(await grown(), 0, "an output rule");
    assert.match(veth.run("c", "nft", "list", "table", "inet", "own"), /counter packets [2-9]\d\d/);
    veth.run("c", "nft", "delete table inet own");
    veth.run("c", "ip", "xfrm", "policy", "add", "dst", "198.51.100.0/24", "dir", "out", "action", "allow");
    assert.equal(await grown(), 0, "a policy of IPsec");
    veth.run("c", "ip", "xfrm", "policy", "flush");
    veth.run(
      "s",
      "nft",
      `add table netdev look; add chain netdev look in { type filter hook ingress device ${VethPair.device} priority 0; }`,
    );
    veth.run("s", "nft", "add rule netdev look in ether daddr 02:00:00:00:00:99 counter");
    veth.run("c", "ip", "neigh", "replace", server, "lladdr", "02:00:00:00:00:99", "dev", VethPair.device, "nud", "permanent");
    assert.ok((await grown()) >= 150, "another neighbour");
    assert.ok(seen("s") >= 150, "to its address");
    veth.run("c", "ip", "neigh", "del", server, "dev", VethPair.device);
    await pair.exchange(20);
    veth.run("c", "ip", "route", "add", "blackhole", `${server}/32`);
    await sleep(100);
    const before = byLink();
    await assert.rejects(pair.exchange(20));
    assert.equal(byLink(), before, "a route to nowhere");
    veth.run("c", "ip", "route", "del", "blackhole", `${server}/32`);
    assert.ok((await grown()) >= 150, "as before");
    await children.end(client);
    await waitFor(pair.raw("c", ...NEAR, "--metrics", "9100", "--lower-level", "route"), READY);
    assert.equal(await grown(), 0, "--lower-level route");
  },
  "fifo: reconnect": async (pair) => {
    const fifo = join(children.folder, "fifo");
    const [client] = await pair.both(["--fifo", fifo]);
    await waitFor(client, READY);
    writeFileSync(fifo, "nonsense\nreconnect\n");
    await waitFor(client, "nobody knows");
    for (let left = 100; left > 0 && client.output().split(READY).length < 3; left--) await sleep(50);
    assert.equal(client.output().split(READY).length, 3, client.output());
    await pair.exchange();
  },
  "log-level: 3 says nothing of what is in order": async (pair) => {
    const weak = ["--cipher-mode", "xor", "--log-level", "3"];
    const far = pair.raw("s", ...FAR, ...weak);
    const client = pair.raw("c", ...NEAR, ...weak);
    await pair.exchange(20);
    for (const child of [far, client]) {
      assert.doesNotMatch(child.output(), /"level":"info"/);
      assert.match(child.output(), /"level":"warn"/);
    }
  },
  "sock-buf and force-sock-buf": async (pair) => {
    const buffers = (): number[] => [...pair.veth.run("s", "ss", "-0Hm").matchAll(/\brb(\d+)/g)].map(([, bytes]) => Number(bytes));
    const far = pair.raw("s", ...FAR, "--sock-buf", "5000", "--force-sock-buf");
    await waitFor(far, "carrying");
    assert.ok(buffers().includes(2 * 5000 * 1024), `${buffers()}`);
    await children.end(far);
    const weak = ["setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin"];
    const refused = pair.as("s", weak, ...FAR, "--sock-buf", "10000", "--force-sock-buf");
    assert.equal(await refused.exited, 1, refused.output());
    assert.match(refused.output(), /CAP_NET_ADMIN/);
    await waitFor(pair.as("s", weak, ...FAR, "--sock-buf", "10000"), "carrying");
  },
  "without CAP_NET_RAW it says how to grant it": async (pair) => {
    const refused = pair.as("s", ["setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw"], ...FAR);
    assert.equal(await refused.exited, 1, refused.output());
    assert.match(refused.output(), /CAP_NET_RAW.*setcap cap_net_raw\+ep.*AmbientCapabilities=CAP_NET_RAW/);
  },
  "retry-on-error: a client without a route waits for one": async (pair) => {
    const far = ["-c", "-l", "127.0.0.1:3333", "-r", "198.51.100.1:4096"];
    const refused = pair.raw("c", ...far);
    assert.equal(await refused.exited, 1);
    assert.match(refused.output(), /198\.51\.100\.1/);
    const client = pair.raw("c", ...far, "--retry-on-error");
    await waitFor(client, "trying again");
    pair.veth.run("s", "ip", "address", "add", "198.51.100.1/32", "dev", "lo");
    pair.veth.run("c", "ip", "route", "add", "198.51.100.1/32", "via", server);
    await waitFor(pair.raw("s", ...FAR), "carrying");
    await waitFor(client, READY);
  },
  "mtu-warn: long datagrams are told and sent": async (pair) => {
    const [client] = await pair.both(["--mtu-warn", "1000"]);
    await waitFor(client, READY);
    await pair.exchange();
    assert.match(client.output(), /"longest":1\d\d\d,"from":1000/);
    await children.end(client);
    assert.match(client.output(), /"longDatagrams":[1-9]/);
  },
  "max-rst-to-show and max-rst-allowed": async (pair) => {
    // Nobody is there: the kernel answers every SYN with a RST.
    const client = pair.raw("c", ...NEAR, "--max-rst-to-show", "2");
    await sleep(5500);
    assert.equal(client.output().split("a RST came").length - 1, 2);
    await children.end(client);
    const strict = pair.raw("c", ...NEAR, "--max-rst-allowed", "0");
    await waitFor(strict, "too many RSTs");
  },
  "random-drop: 10,000 of 10,000 packets are not sent": async (pair) => {
    const [client] = await pair.both(["--random-drop", "10000"]);
    await silent(client);
    await children.end(client);
    assert.match(client.output(), /"droppedOnPurpose":[1-9]/);
    const half = pair.raw("c", ...NEAR, "--random-drop", "2000");
    await waitFor(half, READY, 20_000);
  },
  "workers: threads of a server share its clients, those of a client have connections of their own": async (pair) => {
    const far = pair.raw("s", ...FAR, "--workers", "3", "--metrics", "9100");
    await waitFor(far, "carrying");
    assert.ok(readdirSync(`/proc/${far.process.pid}/task`).length > 3);
    const client = pair.raw("c", ...NEAR, "--workers", "4");
    for (let left = 100; left > 0 && client.output().split(READY).length < 5; left--) await sleep(50);
    await sleep(300);
    const { carriers } = JSON.parse(pair.page("s", "/status")) as { carriers: { connections: unknown[] }[] };
    assert.equal(carriers[0]!.connections.length, 4);
    for (let times = 0; times < 3; times++) await pair.exchange(30);
  },
  "--next: two ends in one process, each with a target of its own": async (pair) => {
    const far = pair.raw("s", ...FAR, "--next", "-l", "0.0.0.0:4097", "-r", "127.0.0.1:7778");
    await waitFor(far, '"port":4097');
    const other = children.start("echo", [process.execPath, end, "echo", "7778"], pair.veth.prefix("s"));
    await waitFor(other, "listening");
    const client = pair.raw("c", ...NEAR, "--next", "-l", "127.0.0.1:3334", "-r", `${server}:4097`);
    for (let left = 100; left > 0 && client.output().split(READY).length < 3; left--) await sleep(50);
    await pair.exchange();
    const plan = { to: 3334, count: 20, longest: 1200, patienceMs: 8000 };
    const sender = children.start("sender", [process.execPath, end, "send", JSON.stringify(plan)], pair.veth.prefix("c"));
    await waitFor(sender, '"back":20', 20_000);
    assert.match(other.output(), /from 1/);
  },
};

let [passed, failed] = [0, 0];
for (const [name, check] of Object.entries(checks)) {
  if (!name.includes(values.only)) continue;
  const pair = new Pair();
  try {
    await check(pair);
    passed++;
    console.log(`ok     ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED ${name}: ${(error as Error).message.slice(0, 2500)}`);
  } finally {
    await children.endAll();
    pair.veth.down();
  }
}
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
