/**
 * A namespace whose loopback device takes no UDP datagrams in one piece (UDP_SEGMENT): the kernel cuts them apart before the device, and they arrive one by one,
 * as over a network card that can neither split nor join. Needs root and ethtool.
 */
import { execFileSync } from "node:child_process";

export class UnmergedPath {
  readonly #name = `lhup${process.pid}`;

  /** A reason why it cannot be had here, or undefined. */
  static missing(): string | undefined {
    if (process.getuid?.() !== 0) return "needs root for a namespace";
    try {
      execFileSync("ethtool", ["--version"], { stdio: "ignore" });
      return undefined;
    } catch {
      return "needs ethtool";
    }
  }

  constructor() {
    run("ip", "netns", "add", this.#name);
    run("ip", "-n", this.#name, "link", "set", "lo", "up");
    run(...this.prefix, "ethtool", "-K", "lo", "tx-udp-segmentation", "off");
  }

  /** Put before a command that shall run there. */
  get prefix(): readonly [string, ...string[]] {
    return ["ip", "netns", "exec", this.#name];
  }

  remove(): void {
    run("ip", "netns", "delete", this.#name);
  }
}

function run(program: string, ...args: readonly string[]): void {
  execFileSync(program, args, { stdio: ["ignore", "ignore", "inherit"] });
}
