/**
 * The programs `kcptun-client` and `kcptun-server`: the tunnel's ends with the flags, the files and the manners of the originals.
 *
 * Source: reference kcptun.md 9.2 and 9.3. Deviations: log lines are JSON; closewait counts idle seconds of a half-closed connection and is 30 at
 * both ends; mode is fast by default, as kcptun's, and may be auto; a keepalive above 30 is taken for 30 where kcptun ends; --pprof is refused as a flag.
 */
import { ConfigError, HostError } from "../base/errors.ts";
import { client } from "./client.ts";
import { type Command, commandHelp } from "./command.ts";
import { parseFlags } from "./flags.ts";
import { flagsOfFile, splitFile } from "./kcptun-file.ts";
import { optionsOf } from "./option.ts";
import { release } from "./release.ts";
import { server } from "./server.ts";

/** What Go's os.Exit(-1) comes to. */
const STATUS_WRONG_FILE = 255;
const STATUS_WRONG_FLAG = 1;

function configOf(command: Command, argv: readonly string[]): unknown {
  const { file, rest } = splitFile(argv);
  let flags: string[];
  try {
    flags = file === undefined ? [] : flagsOfFile(file, optionsOf(command.schema));
  } catch (error) {
    process.exitCode = STATUS_WRONG_FILE;
    throw error;
  }
  return parseFlags(command.schema, {
    argv: ["--mode", "fast", ...rest, ...flags],
    env: process.env,
    later: command.later ?? [],
    lenient: true,
  });
}

async function main([role, ...argv]: readonly string[]): Promise<number> {
  const command = role === "server" ? server : client;
  if (argv.some((argument) => /^--?(h|help)$/.test(argument))) {
    process.stdout.write(commandHelp(command).replace(`longhaul ${command.name}`, `kcptun-${command.name}`));
    return 0;
  }
  if (argv.some((argument) => /^--?(v|version)$/.test(argument))) {
    process.stdout.write(`kcptun version longhaul-${release()}\n`);
    return 0;
  }
  const read = (): never => configOf(command, argv) as never;
  return command.run(read(), read);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof ConfigError) && !(error instanceof HostError)) throw error;
  process.stderr.write(`kcptun: ${error.message}\n`);
  process.exitCode ??= STATUS_WRONG_FLAG;
}
