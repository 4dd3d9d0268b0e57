/** `longhaul forward` as its users run it, inside the lab: the kernel's state before and behind it, processes that are killed, backends that die. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { PcapRecords } from "../../src/host/pcap.ts";
import { type Child, Children, longhaul, waitFor } from "../interop/children.ts";
import type { Sent } from "./end.ts";
import { BACKEND, CLIENT, type End, type Lab, LISTEN } from "./lab.ts";

/** `noXdp`: why XDP cannot be had here. */
export function command(lab: Lab, noXdp: string | undefined): void {
  describe("longhaul forward", () => checks(lab, noXdp ?? false));
}

function checks(lab: Lab, noXdp: string | false): void {
  const folder = mkdtempSync(join(tmpdir(), "longhaul-forward-"));
  const state = join(folder, "forward.json");
  const children = new Children();
  let client: End;
  let foreign = "";

  const forward = (...args: readonly string[]): { status: number | null; out: string; err: string } => {
    const { status, stdout, stderr } = spawnSync(longhaul, ["forward", args[0]!, "--state", state, ...args.slice(1)], {
      encoding: "utf8",
      timeout: 60_000,
    });
    return { status, out: stdout, err: stderr };
  };
  const done = (...args: readonly string[]): string => {
    const { status, out, err } = forward(...args);
    assert.equal(status, 0, `${args.join(" ")}: ${err}`);
    return out;
  };
  const send = (more: object = {}): Promise<Sent> =>
    client.ask({ do: "send", to: LISTEN[4], port: 5000, sources: 1, each: 1, gapMs: 0, waitMs: 2000, bytes: 100, ...more });
  const start = async (...args: readonly string[]): Promise<Child> => {
    const child = children.start("run", [longhaul, "forward", "run", "--state", state, ...args]);
    await waitFor(child, '"forwarding"');
    return child;
  };
  const rules = (): string => execFileSync("nft", ["-s", "list", "ruleset"], { encoding: "utf8" });

  before(async () => {
    client = lab.end("c");
    await lab.echoes([6000, 6001, 5004]);
    execFileSync("nft", ["-f", "-"], {
      input:
        "table inet foreign { chain in { type filter hook prerouting priority -150; udp dport 9 drop; }; }\ntable ip nat { chain x { type nat hook prerouting priority -100; udp dport 9 dnat to 10.77.1.2; }; }",
    });
    foreign = rules();
  });
  beforeEach(async () => {
    await children.endAll();
    forward("remove", "--all");
  });
  after(async () => {
    await children.endAll();
    forward("remove", "--all");
    execFileSync("nft", ["flush", "ruleset"]);
    client.close();
    rmSync(folder, { recursive: true });
  });

  test("forwards are added, seen, explained and removed; nobody else's rule is touched, and none of ours stays", async () => {
    assert.match(
      done("add", "--listen", `${LISTEN[4]}:5000`, "--to", `${BACKEND.a[4]}:6000@3,${BACKEND.b[4]}:6000`, "--name", "media"),
      /1 added.*nftables/,
    );
    assert.equal((await send({ sources: 20 })).count, 20);
    assert.match(done("list"), /media +10\.77\.0\.1:5000 +10\.77\.1\.2:6000@3 10\.77\.2\.2:6000 +on/);
    assert.match(done("explain", "media"), /75 % of flows to 10\.77\.1\.2:6000/);
    assert.match(done("stats", "media"), /media +20 +20 /);
    assert.equal((JSON.parse(done("flows", "--json")) as unknown[]).length, 20);
    assert.ok(rules().includes(foreign.split("\n").slice(0, 5).join("\n")));
    assert.match(done("check"), /nothing is in the way/);
    done("remove", "media");
    assert.equal((await send({ waitMs: 200 })).count, 0);
    done("remove", "--all");
    assert.equal(rules(), foreign);
  });

  test("files: JSON and YAML, only what differs is changed; what is wrong changes nothing, and ends with status 2", async () => {
    const file = join(folder, "forwards.yaml");
    writeFileSync(
      file,
      `- name: one\n  listen: "${LISTEN[4]}:5000"\n  to: ["${BACKEND.a[4]}:6000"]\n- {name: two, listen: "${LISTEN[4]}:5001", to: "${BACKEND.b[4]}:6000"}\n`,
    );
    assert.match(done("apply", file, "--dry"), /2 added\n\+ one\n\+ two/);
    assert.match(done("apply", file), /2 added/);
    assert.match(done("apply", file), /nothing to change/);
    const kept = done("list", "--json");
    writeFileSync(join(folder, "kept.json"), kept);
    assert.match(done("apply", join(folder, "kept.json")), /nothing to change/);
    for (const [args, message] of [
      [["add", "--listen", `${LISTEN[4]}:5000`, "--to", BACKEND.a[4], "--name", "three"], /"(one|three)".*"(one|three)".*claim the same/],
      [["add", "--listen", "nowhere", "--to", BACKEND.a[4]], /listen: "nowhere" is not allowed; give where/],
      [["remove", "ten"], /no forward is called "ten"/],
      [["apply", join(folder, "none.yaml")], /cannot be read/],
    ] as const) {
      const { status, err } = forward(...args);
      assert.deepEqual([status, err.trim().split("\n").length], [2, 1], err);
      assert.match(err, message);
    }
    assert.equal(done("list", "--json"), kept);
    assert.equal((await send()).count, 1);
  });

  test("a process that runs is told of changes, is killed without a datagram lost, and finds everything again", async () => {
    done("add", "--listen", `${LISTEN[4]}:5000`, "--to", `${BACKEND.a[4]}:6000`, "--name", "one");
    const first = await start();
    assert.match(done("add", "--listen", `${LISTEN[4]}:5001`, "--to", `${BACKEND.b[4]}:6000`, "--name", "two"), /process \d+/);
    assert.equal((await send({ port: 5001 })).seenAt.b, 1);
    const traffic = send({ from: 30_000, each: 3000, gapMs: 1 });
    await sleep(300);
    first.process.kill("SIGKILL");
    await first.exited;
    const second = await start();
    assert.match(second.output(), /nothing to change/);
    const { sent, count } = await traffic;
    assert.equal(count, sent, `${sent - count} lost`);
    assert.match(done("remove", "two"), /process \d+/);
    await children.end(second);
    assert.equal((await send()).count, 1, "the kernel forwards on");
  });

  test("what somebody else removes is put back", async () => {
    done("add", "--listen", `${LISTEN[4]}:5000`, "--to", `${BACKEND.a[4]}:6000`, "--name", "one");
    const child = await start("--verify", "1");
    execFileSync("nft", ["delete", "table", "inet", "longhaul_forward"]);
    await waitFor(child, "was not there, put back");
    assert.equal((await send()).count, 1);
  });

  for (const datapath of ["nftables", "xdp", "userspace"]) {
    test(`${datapath}: what is kept is forwarded when the machine has started anew`, { skip: datapath === "xdp" && noXdp }, async () => {
      writeFileSync(state, JSON.stringify([{ name: "one", listen: `${LISTEN[4]}:5000`, to: `${BACKEND.a[4]}:6000` }]));
      await start("--datapath", datapath);
      assert.equal((await send({ sources: 3 })).count, 3);
      assert.match(done("stats", "one"), /one +3 +3 /);
    });

    test(`${datapath}: packets of a forward are captured while a process runs`, { skip: datapath === "xdp" && noXdp }, async () => {
      done("add", "--listen", `${LISTEN[4]}:5000`, "--to", `${BACKEND.a[4]}:6000`, "--name", "one");
      await start("--datapath", datapath);
      const file = join(folder, "one.pcap");
      const capturing = children.start("capture", [
        ...[longhaul, "forward", "capture", "one", "--state", state],
        ...["-w", file, "--packets", "6", "--seconds", "30", "--snaplen", "1000"],
      ]);
      let from = 31_000;
      await eventually(async () => {
        await send({ from: from++, bytes: 700, waitMs: 500 });
        return capturing.process.exitCode !== null;
      });
      assert.match(capturing.output(), /6 packets captured$/m);
      const captured = readFileSync(file);
      const [records, ends, lengths] = [new PcapRecords(), new Set<string>(), new Set<number>()];
      records.push(captured.subarray(24), (packet, seconds) => {
        ends.add(`${packet.subarray(12, 16).join(".")} ${packet.subarray(16, 20).join(".")}`);
        lengths.add(packet.length);
        assert.ok(Math.abs(Date.now() / 1000 - seconds) < 60);
      });
      assert.deepEqual([...ends].sort(), [`${CLIENT[4]} ${BACKEND.a[4]}`, `${BACKEND.a[4]} ${CLIENT[4]}`].sort());
      assert.ok(lengths.has(728), [...lengths].join());
      assert.equal(forward("capture", "nobody", "-w", file).status, 2);
    });
  }

  test("a backend that does not answer its check gets no new flows until it does again", async () => {
    const end = lab.end("a");
    await end.ask({ do: "echo", host: BACKEND.a[4], port: 6100 });
    const check = [
      "--check",
      "udp",
      "--checkport",
      "6100",
      "--checkpayload",
      "00",
      "--checkperiod",
      "1",
      "--checktimeout",
      "1",
      "--checkfall",
      "1",
      "--checkrise",
      "1",
    ];
    const other = lab.end("b");
    await other.ask({ do: "echo", host: BACKEND.b[4], port: 6100 });
    done("add", "--listen", `${LISTEN[4]}:5000`, "--to", `${BACKEND.a[4]}:6000,${BACKEND.b[4]}:6000`, "--name", "one", ...check);
    const child = await start();
    assert.deepEqual(Object.keys((await send({ sources: 40 })).seenAt).sort(), ["a", "b"]);
    await end.ask({ do: "silence", host: BACKEND.a[4], port: 6100 });
    await waitFor(child, '"healthy":false');
    await eventually(async () => (await send({ sources: 20 })).seenAt.b === 20);
    await end.ask({ do: "echo", host: BACKEND.a[4], port: 6100 });
    await waitFor(child, '"healthy":true');
    await eventually(async () => Object.keys((await send({ sources: 40 })).seenAt).length === 2);
    end.close();
    other.close();
  });

  test("xdp: an interface whose driver refuses is served in generic mode, and that is said", { skip: noXdp }, async () => {
    const mtu = (bytes: number): void => {
      execFileSync("ip", ["link", "set", "wa", "mtu", String(bytes)]);
      lab.run("a", "ip", "link", "set", "eth0", "mtu", String(bytes));
    };
    mtu(9000);
    writeFileSync(state, JSON.stringify([{ name: "one", listen: `${LISTEN[4]}:5000`, to: `${BACKEND.a[4]}:6000` }]));
    const child = await start("--datapath", "xdp");
    assert.match(child.output(), /"because":\["wa: XDP in generic mode, half as fast: native is not possible \(\w+\)"\]/);
    assert.match(done("check"), /wa: XDP in generic mode/);
    assert.equal((await send({ sources: 3 })).count, 3);
    await children.end(child);
    done("remove", "--all");
    mtu(1500);
  });

  test("xdp: an interface that goes and is made anew is served again", { skip: noXdp }, async () => {
    writeFileSync(state, JSON.stringify([{ name: "one", listen: `${LISTEN[4]}:5000`, to: `${BACKEND.a[4]}:6000` }]));
    const child = await start("--datapath", "xdp");
    assert.equal((await send({ sources: 2 })).count, 2);
    lab.remake("a");
    await eventually(async () => (await send({ sources: 2, waitMs: 300 })).count === 2);
    const at = execFileSync("ip", ["-d", "link", "show", "wa"], { encoding: "utf8" });
    assert.match(at, /prog\/xdp/);
    assert.match(done("add", "--listen", `${LISTEN[4]}:5001`, "--to", `${BACKEND.a[4]}:6000`), /1 added/);
    assert.doesNotMatch(child.output(), /"level":"error"/);
  });

  test("xdp: a check is answered where flows to the backend have all ports that the kernel gives to sockets", { skip: noXdp }, async () => {
    const own = "40000 40019";
    const before = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8");
    writeFileSync("/proc/sys/net/ipv4/ip_local_port_range", own);
    const check = ["--check", "udp", "--checkpayload", "00", "--checkperiod", "1", "--checktimeout", "1", "--checkfall", "1"];
    const places = ["--listen", `${LISTEN[4]}:5000`, "--to", `${BACKEND.a[4]}:6000`, "--sourceports", "40000-40019"];
    done("add", ...places, "--name", "one", ...check);
    const child = await start("--datapath", "xdp");
    const { seenAt, answers } = await send({ sources: 20 });
    assert.equal(
      new Set(answers.map(({ saw }) => saw)).size,
      20,
      JSON.stringify({ seenAt, saw: answers.map(({ saw, port }) => `${saw} ${port}`) }),
    );
    assert.match(done("check"), /advice: what this machine itself sends .*ip_local_port_range="1024 39999"/);
    await sleep(3500);
    writeFileSync("/proc/sys/net/ipv4/ip_local_port_range", before);
    assert.doesNotMatch(child.output(), /"healthy":false/);
  });

  test("what nft lists of the table it takes back, and it means the same", async () => {
    const file = join(folder, "given.json");
    const to = [`${BACKEND.a[4]}:6000`];
    const entries = [
      { name: "one", listen: `${LISTEN[4]}:5000`, to },
      { name: "two", listen: `${LISTEN[4]}:5001`, to: [...to, `${BACKEND.b[4]}@3`], idle: 7, balance: "source", sourcepacketlimit: 9 },
      { name: "range", listen: `${LISTEN[4]}:5100-5199`, to, deny: ["192.0.2.0/24"], allow: ["10.0.0.0/8"], bytelimit: 1_000_000 },
      { name: "six", listen: `[${LISTEN[6]}]:5000`, to: [`[${BACKEND.a[6]}]:6000`], source: ["transparent"], packetlimit: 99 },
    ];
    writeFileSync(file, JSON.stringify(entries));
    done("apply", file, "--datapath", "nftables");
    const table = ["table", "inet", "longhaul_forward"];
    const listed = (): string => execFileSync("nft", ["-s", "list", ...table], { encoding: "utf8" });
    const before = listed();
    execFileSync("nft", ["delete", ...table]);
    execFileSync("nft", ["-f", "-"], { input: before });
    assert.equal(listed(), before);
    assert.equal((await send()).count, 1);
  });

  test("without CAP_BPF, or where the kernel is locked down: says so, and takes nftables", async () => {
    done("add", "--listen", `${LISTEN[4]}:5000`, "--to", `${BACKEND.a[4]}:6000`, "--name", "one");
    const less = ["setpriv", "--bounding-set=-bpf,-sys_admin,-perfmon", "--inh-caps=-all"];
    const child = children.start("less", [...less, longhaul, "forward", "run", "--state", state]);
    await waitFor(child, '"forwarding"');
    assert.match(child.output(), /"datapath":"nftables","because":\["xdp is not possible because [^"]*CAP_BPF[^"]*locked down/);
    assert.equal((await send()).count, 1);
  });

  test("bpf(2) refused by a filter, as container runtimes do: says so, and takes nftables; without CAP_NET_ADMIN too it does it itself", async () => {
    writeFileSync(state, JSON.stringify([{ name: "one", listen: `${LISTEN[4]}:5000`, to: `${BACKEND.a[4]}:6000` }]));
    const preload = `NODE_OPTIONS=--import=${join(import.meta.dirname, "confine.ts")}`;
    const confined = (...before: string[]): string[] => [...before, "env", preload, longhaul, "forward", "run", "--state", state];
    const root = children.start("confined", confined());
    await waitFor(root, '"forwarding"');
    assert.match(root.output(), /"datapath":"nftables","because":\["xdp is not possible because [^"]*(EPERM|CAP_BPF)/);
    assert.equal((await send()).count, 1);
    await children.end(root);
    const weak = children.start("weak", confined("setpriv", "--no-new-privs", "--bounding-set=-net_admin,-sys_admin", "--inh-caps=-all"));
    await waitFor(weak, '"forwarding"');
    assert.match(
      weak.output(),
      /"datapath":"userspace","because":\["xdp is not possible because [^"]*","nftables is not possible because [^"]*CAP_NET_ADMIN/,
    );
    assert.equal((await send()).count, 1);
    await children.end(weak);
    done("remove", "--all");
  });

  test("without any right: says what is missing, and forwards by itself", async () => {
    chmodSync(folder, 0o777);
    done("remove", "--all");
    rmSync(state, { force: true });
    const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", "HOME=/nonexistent", `XDG_RUNTIME_DIR=${folder}`];
    const refused = spawnSync(
      nobody[0]!,
      [...nobody.slice(1), longhaul, "forward", "add", "--state", state, "--listen", `${LISTEN[4]}:5000`, "--to", `${BACKEND.a[4]}:6000`],
      { encoding: "utf8" },
    );
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /nftables is not possible because.*CAP_NET_ADMIN.*longhaul forward run/s);
    writeFileSync(state, JSON.stringify([{ name: "one", listen: `${LISTEN[4]}:5000`, to: `${BACKEND.a[4]}:6000` }]));
    chmodSync(state, 0o666);
    const child = children.start("nobody", [...nobody, longhaul, "forward", "run", "--state", state]);
    await waitFor(child, '"forwarding"');
    assert.match(child.output(), /"datapath":"userspace","because":\[.*nftables is not possible because/);
    assert.equal((await send({ sources: 10 })).count, 10);
    await children.end(child);
    writeFileSync(state, JSON.stringify([{ name: "many", listen: `${LISTEN[4]}:10000-10999`, to: `${BACKEND.a[4]}:6000` }]));
    const few = spawnSync("prlimit", ["--nofile=500:500", ...nobody, longhaul, "forward", "run", "--state", state], { encoding: "utf8" });
    assert.equal(few.status, 1);
    assert.match(few.stderr, /1000 places need a socket each and 500 files may be open; "ulimit -n"/);
    rmSync(state);
  });
}

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 40; tries++) {
    if (await holds()) return;
    await sleep(100);
  }
  assert.fail("it did not come to be");
}
