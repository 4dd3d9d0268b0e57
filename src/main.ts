/** The program: finds the subcommand, parses its options, runs it. The only place that ends the process. */
import { ConfigError, HostError } from "./base/errors.ts";
import { client } from "./cli/client.ts";
import { type Command, commandHelp } from "./cli/command.ts";
import { parseFlags } from "./cli/flags.ts";
import { live } from "./cli/live.ts";
import { raw } from "./cli/raw.ts";
import { release } from "./cli/release.ts";
import { server } from "./cli/server.ts";
import { top } from "./cli/top.ts";
import { up } from "./cli/up.ts";

const commands: readonly Command[] = [up, client, server, raw, live, top];

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
    const command = commands.find((candidate) => candidate.name === rest[0]);
    process.stdout.write(command === undefined ? help : commandHelp(command));
    return name === undefined ? 2 : 0;
  }
  if (name === "version" || name === "-v" || name === "--version") {
    process.stdout.write(`longhaul ${release()}\n`);
    return 0;
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined)
    throw new ConfigError(name, `unknown command "${name}"; one of ${commands.map((known) => known.name).join(", ")}, help`);
  if (rest.some((argument) => argument === "-h" || argument === "--help" || argument === "-help")) {
    process.stdout.write(commandHelp(command));
    return 0;
  }
  const sources = { argv: rest, env: process.env, later: command.later ?? [] };
  const read = (): never => (command.parse === undefined ? parseFlags(command.schema, sources) : command.parse(sources)) as never;
  return command.run(read(), read);
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
