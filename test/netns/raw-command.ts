/**
 * `longhaul raw` as its users start it, in two namespaces: the server by flags, the client by a file. Datagrams come back while the firewall's rules are
 * flushed in mid-run, the kernel sends no RST once they are there, and nothing of ours is left in the firewall at the end. Once with nftables, once with iptables
 * where there is no nft.
 *
 *   node test/netns/raw-command.ts [--count 300]          needs root, ../shared/netlab, nft, iptables
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Children, longhaul, root, waitFor } from "../interop/children.ts";
import { Netlab, netlabMissing } from "../interop/netlab.ts";
import { parseArgs } from "../script-args.ts";

const { values } = parseArgs({ options: { count: { type: "string", default: "300" } } });
const missing = netlabMissing() ?? (spawnSync("nft", ["-v"]).error === undefined ? undefined : "needs nft");
if (missing !== undefined) {
  console.log(`skipped: ${missing}\n0 passed, 0 failed, 1 skipped`);
  process.exit(0);
}

const children = new Children();
const lab = new Netlab(`lhrc${process.pid}`, "delay=5");
const [c, s] = [lab.prefix("c"), lab.prefix("s")];
const end = join(root, "test/interop/raw-end.ts");
const inside = (prefix: readonly string[], ...command: readonly string[]): string =>
  execFileSync(prefix[0]!, [...prefix.slice(1), ...command], { encoding: "utf8", timeout: 20_000 });
const resets = (prefix: readonly string[]): number => Number(inside(prefix, "awk", "/^Tcp: [0-9]/ {print $15}", "/proc/net/snmp"));

const key = join(children.folder, "key");
const file = join(children.folder, "raw.conf");
writeFileSync(key, "of the test\n");
writeFileSync(
  file,
  `# the near end\n-c\n-l 127.0.0.1:3333\n-r ${Netlab.serverAddress}:4096\n--key-file ${key}\n--auth-mode hmac_sha1\n--keep-rule\n`,
);

/** A namespace has mounts of its own: what is put over nft there is put over it nowhere else. */
const WITHOUT_NFT = ["sh", "-c", 'mount --bind /bin/false "$(command -v nft || echo /usr/sbin/nft)" && exec "$@"', "sh"];
const kinds = [
  { name: "nftables", by: [], flush: ["nft", "flush", "ruleset"], list: ["nft", "list", "tables"], clean: "" },
  {
    name: "iptables",
    by: WITHOUT_NFT,
    flush: ["sh", "-c", "iptables -F && iptables -X"],
    list: ["iptables", "-S"],
    clean: "-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n",
  },
] as const;

try {
  await waitFor(children.start("echo", [process.execPath, end, "echo", "7777"], s), "listening");
  for (const { name, by, flush, list, clean } of kinds) {
    const flags = ["-s", "-l", "0.0.0.0:4096", "-r", "127.0.0.1:7777", "-k", "of", "--auth-mode=hmac_sha1", "--keep-rule"];
    const server = children.start("server", [...by, longhaul, "raw", ...flags], s);
    await waitFor(server, "carrying");
    const client = children.start("client", [...by, longhaul, "raw", "--conf-file", file], c);
    await waitFor(client, "carrying");
    for (const child of [server, client]) assert.ok(child.output().includes(`"backend":"${name}"`), child.output());
    await exchange();
    for (const prefix of [c, s]) inside(prefix, ...flush);
    await Promise.all([waitFor(client, "was gone, restored"), waitFor(server, "was gone, restored")]);
    const before = [resets(c), resets(s)];
    await exchange();
    assert.deepEqual([resets(c), resets(s)], before, "the kernel sent a RST although the rule stood");
    for (const child of [client, server]) {
      await children.end(child);
      assert.equal(child.process.exitCode, 0, child.output());
      assert.ok(!/"of"|of the test/.test(child.output()), "the password is in the log");
    }
    for (const prefix of [c, s]) assert.equal(inside(prefix, ...list), clean, "rules stayed behind");
    console.log(`ok     ${name}`);
  }
  // Stopped while it starts: the rule is there, the threads are not yet.
  const hasty = children.start("hasty", [longhaul, "raw", "-s", "-l", "0.0.0.0:4098", "-r", "127.0.0.1:7777", "--key-file", key, "-a"], s);
  await waitFor(hasty, "firewall rule added");
  await children.end(hasty);
  assert.equal(hasty.process.exitCode, 0, hasty.output());
  assert.match(hasty.output(), /firewall rule removed/);
  console.log("ok     a stop while it starts");
  // An iptables that works by nftables leaves its own table and chain behind, empty.
  for (const prefix of [c, s]) assert.doesNotMatch(inside(prefix, "nft", "list", "ruleset"), /longhaul|jump|drop/i, "rules stayed behind");
  // Two ends that do not agree on the mode: the client says so.
  const old = ["raw", "-s", "-l", "0.0.0.0:4097", "-r", "127.0.0.1:7777", "--key-file", key, "--compat", "udp2raw"];
  await waitFor(children.start("old-server", [longhaul, ...old], s), "carrying");
  const own = ["raw", "-c", "-l", "127.0.0.1:3334", "-r", `${Netlab.serverAddress}:4097`, "--key-file", key];
  await waitFor(children.start("own-client", [longhaul, ...own], c), "key or modes differ: a udp2raw wants its own");
  const tcp = ["--raw-mode", "tcp", "--key-file", key];
  await waitFor(children.start("tcp-server", [longhaul, "raw", "-s", "-l", "0.0.0.0:4096", "-r", "127.0.0.1:7777", ...tcp], s), "carrying");
  await waitFor(
    children.start("tcp-client", [longhaul, "raw", "-c", "-l", "127.0.0.1:3333", "-r", `${Netlab.serverAddress}:4096`, ...tcp], c),
    "carrying",
  );
  await exchange();
  console.log(`${kinds.length + 2} passed, 0 failed, 0 skipped`);
} finally {
  await children.endAll();
  lab.down();
}

async function exchange(): Promise<void> {
  const plan = { to: 3333, count: Number(values.count), longest: 1200, patienceMs: 12_000 };
  const sender = children.start("sender", [process.execPath, end, "send", JSON.stringify(plan)], c);
  await waitFor(sender, '"back"', 60_000);
  const { sent, back } = JSON.parse(/\{"sent".*\}/.exec(sender.output())![0]) as { sent: number; back: number };
  console.log(`${back} of ${sent} datagrams came back`);
  assert.equal(back, sent);
}
