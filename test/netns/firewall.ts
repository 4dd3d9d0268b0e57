/** The firewall's rules of raw connections with the real nftables and iptables, in a namespace made for it. Needs root. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, test } from "node:test";
import { clearFirewall, Firewall, type FirewallBackend, PREFIX } from "../../src/host/firewall.ts";
import { iptables } from "../../src/host/firewall-iptables.ts";
import { nftables } from "../../src/host/firewall-nftables.ts";
import type { FirewallPattern } from "../../src/host/firewall-pattern.ts";
import { silentLog } from "../../src/host/log.ts";
import { type Run, runProgram } from "../../src/host/program.ts";

const namespace = `lhfw${process.pid}`;
const skip = unavailable();
after(() => {
  spawnSync("ip", ["netns", "del", namespace], { timeout: 10_000 });
});

const run: Run = (step) => runProgram({ ...step, program: "ip", args: ["netns", "exec", namespace, step.program, ...step.args] });

async function inside(...command: readonly [string, ...string[]]): Promise<string> {
  const [program, ...args] = command;
  const { status, output, error } = await run({ program, args });
  assert.equal(status, 0, `${command.join(" ")}: ${error}`);
  return output;
}

/** ICMP errors that the kernel sends for a datagram to a port where nobody listens: 1, or 0 where a rule drops it before. */
async function complaints(version: 4 | 6): Promise<number> {
  const count = `awk '${version === 4 ? "/^Icmp: [0-9]/ {print $16}" : '$1 == "Icmp6OutDestUnreachs" {print $2}'}' /proc/net/snmp${version === 6 ? "6" : ""}`;
  const send = `echo x > /dev/udp/${version === 4 ? "127.0.0.1" : "::1"}/4096`;
  const [before, then] = (await inside("bash", "-c", `${count}; ${send}; ${count}`)).trim().split("\n").map(Number);
  return then! - before!;
}

function rules(): Promise<string> {
  return inside("bash", "-c", "iptables -S; ip6tables -S; nft list tables; nft list table inet foreign");
}

const damages: Readonly<Record<FirewallBackend["name"], (name: string, version: 4 | 6) => readonly string[]>> = {
  nftables: (name) => [`nft flush chain inet ${name} in`, `nft delete table inet ${name}`],
  iptables: (name, version) => {
    const program = version === 4 ? "iptables" : "ip6tables";
    return [`${program} -F ${name}`, `${program} -D INPUT 1`, `${program} -D INPUT 1; ${program} -F ${name}; ${program} -X ${name}`];
  },
};

for (const backend of [nftables, iptables]) {
  for (const version of [4, 6] as const) {
    test(`${backend.name}, IPv${version}: added, restored, removed, and nobody else's rule touched`, { skip }, async () => {
      const pattern: FirewallPattern = { version, role: "server", mode: "udp", address: version === 4 ? undefined : "::1", port: 4096 };
      const before = await rules();
      assert.equal(await complaints(version), 1, "the kernel answers what nobody listens to");
      const firewall = await Firewall.install(pattern, silentLog, { backends: [backend], run });
      try {
        assert.equal(await complaints(version), 0);
        assert.equal(await firewall.check(), true);
        for (const damage of damages[backend.name](firewall.name, version)) {
          await inside("bash", "-c", damage);
          assert.equal(await complaints(version), 1, `${damage}: the rule is gone`);
          assert.equal(await firewall.check(), false);
          assert.equal(await complaints(version), 0, `${damage}: the rule is back`);
          assert.equal(await firewall.check(), true);
        }
        assert.equal(firewall.counters.restored, damages[backend.name]("", version).length);
        assert.equal(firewall.counters.failed, 0);
      } finally {
        await firewall.remove();
      }
      assert.equal(await complaints(version), 1);
      assert.equal(await rules(), before);
      await firewall.check();
      assert.equal(await rules(), before, "what is removed is not put back");
    });
  }
}

test("every form of the rule is one that the real programs take", { skip }, async () => {
  const before = await rules();
  for (const backend of [nftables, iptables]) {
    for (const mode of ["faketcp", "icmp", "udp"] as const) {
      for (const role of ["client", "server"] as const) {
        for (const [version, address] of [
          [4, "192.0.2.1"],
          [6, "2001:db8::1"],
          [4, undefined],
          [6, undefined],
        ] as const) {
          if (role === "client" && address === undefined) continue;
          const firewall = await Firewall.install({ version, role, mode, address, port: 4096 }, silentLog, { backends: [backend], run });
          await firewall.remove();
        }
      }
    }
  }
  assert.equal(await rules(), before);
});

test("clear removes what was left behind, of both kinds", { skip }, async () => {
  const before = await rules();
  const pattern: FirewallPattern = { version: 4, role: "client", mode: "faketcp", address: "192.0.2.1", port: 4096 };
  for (const backend of [nftables, iptables]) (await Firewall.install(pattern, silentLog, { backends: [backend], run })).leave();
  (await Firewall.install({ ...pattern, version: 6, address: "::1" }, silentLog, { backends: [iptables], run })).leave();
  assert.equal((await rules()).split("\n").filter((line) => line.startsWith("-N ") || line.includes(`inet ${PREFIX}`)).length, 3 + 2);
  assert.equal(await clearFirewall(silentLog, run), 3);
  assert.equal(await rules(), before);
});

function unavailable(): string | false {
  if (process.getuid?.() !== 0) return "needs root for a network namespace";
  for (const program of ["ip", "nft", "iptables", "ip6tables", "iptables-restore"])
    if (spawnSync(program, ["-V"], { timeout: 10_000 }).error !== undefined) return `${program} is not installed`;
  const script = `
    ip netns add ${namespace} && ip -n ${namespace} link set lo up && ip netns exec ${namespace} bash -c '
      nft add table inet foreign && nft add chain inet foreign in "{ type filter hook input priority 0; }" && nft add rule inet foreign in tcp dport 9 accept &&
      for program in iptables ip6tables; do $program -N foreign && $program -A INPUT -p tcp --dport 9 -j foreign && $program -A foreign -j ACCEPT; done'`;
  const made = spawnSync("bash", ["-c", script], { encoding: "utf8", timeout: 20_000 });
  return made.status === 0 ? false : `no namespace with rules can be made here: ${made.stderr.trim().split("\n")[0]}`;
}
