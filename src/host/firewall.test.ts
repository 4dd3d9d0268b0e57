import assert from "node:assert/strict";
import { test } from "node:test";
import { HostError } from "../base/errors.ts";
import { clearFirewall, Firewall } from "./firewall.ts";
import { iptablesCommand, iptablesScript } from "./firewall-iptables.ts";
import { nftablesScript } from "./firewall-nftables.ts";
import type { FirewallPattern } from "./firewall-pattern.ts";
import { silentLog } from "./log.ts";
import { runProgram } from "./program.ts";

const client: FirewallPattern = { version: 4, role: "client", mode: "faketcp", address: "192.0.2.1", port: 4096 };
const server: FirewallPattern = { version: 4, role: "server", mode: "faketcp", address: undefined, port: 4096 };

test("iptables rules are udp2raw's", () => {
  const six = { version: 6, address: "2001:db8::1" } as const;
  const rules: readonly (readonly [FirewallPattern, string])[] = [
    [client, "iptables -I INPUT -s 192.0.2.1 -p tcp -m tcp --sport 4096 -j DROP"],
    [{ ...client, mode: "udp" }, "iptables -I INPUT -s 192.0.2.1 -p udp -m udp --sport 4096 -j DROP"],
    [{ ...client, mode: "icmp" }, "iptables -I INPUT -s 192.0.2.1 -p icmp --icmp-type 0 -j DROP"],
    [{ ...client, mode: "icmp", ...six }, "ip6tables -I INPUT -s 2001:db8::1 -p icmpv6 --icmpv6-type 129 -j DROP"],
    [server, "iptables -I INPUT -p tcp -m tcp --dport 4096 -j DROP"],
    [{ ...server, address: "192.0.2.1" }, "iptables -I INPUT -d 192.0.2.1 -p tcp -m tcp --dport 4096 -j DROP"],
    [{ ...server, ...six }, "ip6tables -I INPUT -d 2001:db8::1 -p tcp -m tcp --dport 4096 -j DROP"],
    [{ ...server, mode: "icmp" }, "iptables -I INPUT -p icmp --icmp-type 8 -j DROP"],
    [{ ...server, mode: "icmp", version: 6 }, "ip6tables -I INPUT -p icmpv6 --icmpv6-type 128 -j DROP"],
  ];
  for (const [pattern, rule] of rules) assert.equal(iptablesCommand(pattern), rule);
  assert.equal(
    iptablesScript(server, "ours"),
    "*filter\n:ours - [0:0]\n-A ours -j DROP\n-I INPUT 1 -p tcp -m tcp --dport 4096 -j ours\nCOMMIT\n",
  );
});

test("nftables: dropped where they come in, untracked where the answers leave", () => {
  const pairs: readonly (readonly [FirewallPattern, string, string])[] = [
    [client, "ip saddr 192.0.2.1 tcp sport 4096 drop", "ip daddr 192.0.2.1 tcp dport 4096 notrack"],
    [server, "meta nfproto ipv4 tcp dport 4096 drop", "meta nfproto ipv4 tcp sport 4096 notrack"],
    [{ ...server, address: "192.0.2.1" }, "ip daddr 192.0.2.1 tcp dport 4096 drop", "ip saddr 192.0.2.1 tcp sport 4096 notrack"],
    [{ ...client, mode: "icmp" }, "ip saddr 192.0.2.1 icmp type 0 drop", "ip daddr 192.0.2.1 icmp type 8 notrack"],
    [
      { ...server, mode: "icmp", version: 6, address: "::1" },
      "ip6 daddr ::1 icmpv6 type 128 drop",
      "ip6 saddr ::1 icmpv6 type 129 notrack",
    ],
    [{ ...server, mode: "udp", version: 6 }, "meta nfproto ipv6 udp dport 4096 drop", "meta nfproto ipv6 udp sport 4096 notrack"],
  ];
  for (const [pattern, incoming, outgoing] of pairs) {
    const rules = nftablesScript(pattern, "ours")
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => / (drop|notrack)$/.test(line));
    assert.deepEqual(rules, [incoming, outgoing]);
  }
});

test("where there is neither, both reasons are said", async () => {
  const run = () => runProgram({ program: "longhaul-no-such-program", args: [] });
  await assert.rejects(Firewall.install(client, silentLog, { run }), (error) => {
    assert.ok(error instanceof HostError);
    assert.match(error.message, /nftables: longhaul-no-such-program is not installed; iptables: .* is not installed/);
    return true;
  });
});

test("who may not look at the firewall is told so, instead of that nothing was there", async () => {
  const run = () => runProgram({ program: "sh", args: ["-c", "echo 'Permission denied (you must be root)' >&2; exit 4"] });
  for (const refused of [() => clearFirewall(silentLog, run), () => Firewall.install(client, silentLog, { run })]) {
    await assert.rejects(refused, (error) => {
      assert.ok(error instanceof HostError);
      assert.equal(error.code, "EPERM");
      assert.match(error.message, /nftables: Permission denied.*CAP_NET_ADMIN/);
      return true;
    });
  }
});

test("a firewall that cannot be looked at is left alone, and counted", async () => {
  const steps: string[] = [];
  let there = true;
  const firewall = await Firewall.install(client, silentLog, {
    run: (step) => {
      steps.push(step.args[0]!);
      return runProgram({ program: there ? "true" : "longhaul-no-such-program", args: [] });
    },
  });
  firewall.leave();
  assert.equal(await firewall.check(), true);
  there = false;
  steps.length = 0;
  assert.equal(await firewall.check(), false);
  assert.deepEqual([steps.length, firewall.counters.checks, firewall.counters.failed], [1, 2, 1]);
});
