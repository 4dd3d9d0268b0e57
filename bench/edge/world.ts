/** What the edge's benches share: an edge and HAProxy in front of one server, each in a process of its own, with two threads as the machine has cores. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export const folder = mkdtempSync(join(tmpdir(), "longhaul-bench-edge-"));
const children: ChildProcess[] = [];

export function start(command: readonly string[]): ChildProcess {
  return started(command, "ignore");
}

/** One whose output is read. */
export function startTelling(command: readonly string[]): ChildProcess {
  return started(command, "pipe");
}

function started([file = "", ...args]: readonly string[], output: "ignore" | "pipe"): ChildProcess {
  const child = spawn(file, args, { stdio: ["ignore", output, "inherit"] });
  children.push(child);
  return child;
}

/** Places of an edge. A socket at a client has a flow at each, so that flows are not limited by what descriptors it may have. */
export const UDP_PORTS = 10;

/** TCP and UDP, from port `at` on. `check`: port that health checks ask. */
export function edge(at: number, to: number, check: number, ...more: readonly string[]): ChildProcess {
  const file = join(folder, `edge-${at}.json`);
  const group = { id: "g", region: "r", check: { port: check }, endpoints: [{ id: "e", host: "127.0.0.1", port: to }] };
  const listener = (protocol: string) => ({ id: protocol, protocol, ports: [{ from: at, to: at + UDP_PORTS - 1 }], groups: [group] });
  const policy = { udpIdleSeconds: 3600 };
  const accelerator = { id: "a", addresses: ["127.0.0.1"], policy, listeners: [listener("TCP"), listener("UDP")] };
  writeFileSync(file, JSON.stringify({ accelerators: [accelerator] }));
  const main = join(import.meta.dirname, "../../src/main.ts");
  return start([process.execPath, main, "edge", "--file", file, "--state", folder, ...more]);
}

export function haproxy(at: number, to: number, threads: number): ChildProcess {
  const file = join(folder, "haproxy.cfg");
  writeFileSync(
    file,
    `global
  nbthread ${threads}
  maxconn 4000
defaults
  mode tcp
  timeout connect 2s
  timeout client 340s
  timeout server 340s
listen l
  bind 127.0.0.1:${at}
  server e 127.0.0.1:${to}
`,
  );
  return start(["haproxy", "-f", file, "-db"]);
}

export async function reachable(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const up = await new Promise<boolean>((settle) => {
      const socket = connect({ port, host: "127.0.0.1" });
      socket.on("connect", () => {
        socket.destroy();
        settle(true);
      });
      socket.on("error", () => settle(false));
    });
    if (up) return;
    await sleep(50);
  }
  throw new Error(`nobody at port ${port}`);
}

/** User and system time of a process and all of its threads. */
export function cpuSeconds({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

export function rssBytes({ pid }: ChildProcess): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) * 1024;
}

export function end(): void {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}
