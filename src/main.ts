/** The program: finds the subcommand, parses its options, runs it. The only place that ends the process. */
import { ConfigError, HostError } from "./base/errors.ts";
import { type Command, commandHelp } from "./cli/command.ts";
import { parseFlags } from "./cli/flags.ts";
import { release } from "./cli/release.ts";

/** Only the modules of the command that is asked for are loaded: the others would take more memory than a thousand sessions. */
const commands: readonly { readonly name: string; readonly summary: string; load(): Promise<Command> }[] = [
  {
    name: "up",
    summary: "everything in one process, with a demo: start here",
    load: async () => (await import("./cli/up.ts")).up,
  },
  {
    name: "client",
    summary: "near end of a tunnel: applications connect to it (kcptun's client)",
    load: async () => (await import("./cli/client.ts")).client,
  },
  {
    name: "server",
    summary: "far end of a tunnel: makes the connections to a target (kcptun's server)",
    load: async () => (await import("./cli/server.ts")).server,
  },
  {
    name: "doctor",
    summary: "measures the way to a server: what is wrong with it, which options fit",
    load: async () => (await import("./cli/doctor.ts")).doctor,
  },
  {
    name: "raw",
    summary: "UDP dressed as TCP, ICMP or plain UDP (udp2raw's both ends)",
    load: async () => (await import("./cli/raw.ts")).raw,
  },
  {
    name: "forward",
    summary: "UDP to backends at kernel speed: nftables, XDP or this process",
    load: async () => (await import("./cli/forward.ts")).forward,
  },
  {
    name: "edge",
    summary: "fixed addresses in front of endpoints anywhere: dials, weights, health, failover",
    load: async () => (await import("./cli/edge.ts")).edge,
  },
  {
    name: "edges",
    summary: "edges of an installation: list, join tokens, remove",
    load: async () => (await import("./cli/edges.ts")).edges,
  },
  {
    name: "live",
    summary: "live origin: encoders publish by RTMP, browsers play with low delay",
    load: async () => (await import("./cli/live.ts")).live,
  },
  {
    name: "control",
    summary: "AWS Global Accelerator's API on your own machines: accelerators, listeners, endpoints",
    load: async () => (await import("./cli/control.ts")).control,
  },
  {
    name: "keys",
    summary: "access keys for the APIs: list, create, delete",
    load: async () => (await import("./cli/keys.ts")).keys,
  },
  {
    name: "top",
    summary: "shows running tunnels live: sessions, rates, round trip, loss, FEC, streams",
    load: async () => (await import("./cli/top.ts")).top,
  },
];

const help = `longhaul carries live video, calls and any TCP or UDP traffic over long, lossy or throttled networks with the least delay.

Usage: longhaul COMMAND [options]

Commands:
${commands.map(({ name, summary }) => `  ${name.padEnd(8)} ${summary}`).join("\n")}
  help     this text; longhaul help COMMAND or longhaul COMMAND --help for the options of one
  version  the version

New here? Run "longhaul up" and open the page it names: a live picture through a bad link, beside the same over plain TCP.
To speed up a slow link: "longhaul server" on the far machine, "longhaul client" on the near one; both speak kcptun's protocol.
`;

async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === "-h" || name === "--help" || name === "help") {
    const asked = commands.find((candidate) => candidate.name === rest[0]);
    process.stdout.write(asked === undefined ? help : helpOf(await asked.load(), rest.slice(1)));
    return name === undefined ? 2 : 0;
  }
  if (name === "version" || name === "-v" || name === "--version") {
    process.stdout.write(`longhaul ${release()}\n`);
    return 0;
  }
  const known = commands.find((candidate) => candidate.name === name);
  if (known === undefined)
    throw new ConfigError(name, `unknown command "${name}"; one of ${commands.map((other) => other.name).join(", ")}, help`);
  const command = await known.load();
  if (rest.some((argument) => argument === "-h" || argument === "--help" || argument === "-help")) {
    process.stdout.write(helpOf(command, rest));
    return 0;
  }
  const sources = { argv: rest, env: process.env, later: command.later ?? [] };
  const read = (): never => (command.parse === undefined ? parseFlags(command.schema, sources) : command.parse(sources)) as never;
  return command.run(read(), read);
}

function helpOf(command: Command, argv: readonly string[]): string {
  return command.help?.(argv) ?? commandHelp(command);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof ConfigError) {
    process.stderr.write(`longhaul: ${error.message}\n`);
    process.exitCode = 2;
  } else if (error instanceof HostError) {
    process.stderr.write(`longhaul: ${error.message}\n`);
    process.exitCode = 1;
  } else throw error;
}
