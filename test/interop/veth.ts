/** Two network namespaces joined by a veth pair, NAME-c and NAME-s, with addresses of both families: a link without an emulator's own cost. Needs root. */
import { execFileSync } from "node:child_process";

export interface VethOptions {
  /** Of both ends; default 1500. */
  readonly mtu?: number;
}

export class VethPair {
  readonly name: string;
  static readonly clientAddress = { 4: "10.201.0.1", 6: "fd00:201::1" } as const;
  static readonly serverAddress = { 4: "10.201.0.2", 6: "fd00:201::2" } as const;
  /** The device at either end. */
  static readonly device = "wan0";

  constructor(name: string, { mtu = 1500 }: VethOptions = {}) {
    this.name = name;
    this.down();
    const [client, server] = [`${name}-c`, `${name}-s`];
    for (const namespace of [client, server]) ip("netns", "add", namespace);
    const { device } = VethPair;
    ip("link", "add", device, "netns", client, "type", "veth", "peer", "name", device, "netns", server);
    for (const [namespace, addresses] of [
      [client, VethPair.clientAddress],
      [server, VethPair.serverAddress],
    ] as const) {
      ip("-n", namespace, "address", "add", `${addresses[4]}/24`, "dev", device);
      // Without duplicate address detection, which would take a second.
      ip("-n", namespace, "address", "add", `${addresses[6]}/64`, "dev", device, "nodad");
      ip("-n", namespace, "link", "set", device, "mtu", String(mtu), "up");
      ip("-n", namespace, "link", "set", "lo", "up");
    }
  }

  /** A reason why namespaces cannot be had here, or undefined. */
  static missing(): string | undefined {
    return process.getuid?.() === 0 ? undefined : "needs root for network namespaces";
  }

  /** Put before a command to run it at the client's or the server's side. */
  prefix(side: "c" | "s"): string[] {
    return ["ip", "netns", "exec", `${this.name}-${side}`];
  }

  /** Runs a command there and answers what it says. @throws Error when it fails */
  run(side: "c" | "s", ...command: readonly string[]): string {
    const [program, ...args] = [...this.prefix(side), ...command];
    return execFileSync(program!, args, { encoding: "utf8", timeout: 20_000 });
  }

  down(): void {
    for (const side of ["c", "s"]) {
      try {
        ip("netns", "delete", `${this.name}-${side}`);
      } catch {
        // It was not there.
      }
    }
  }
}

function ip(...args: readonly string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"], timeout: 10_000 });
}
