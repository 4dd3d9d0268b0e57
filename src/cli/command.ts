/** A subcommand: what it is called, what it takes and what it does; its help is made from its schema. */
import type { z } from "zod";
import type { Sources } from "./flags.ts";
import { type Option, optionsOf } from "./option.ts";

export interface Command {
  readonly name: string;
  /** A few sentences for `--help`: what it is for, and what else is needed. */
  readonly text: string;
  readonly examples: readonly string[];
  readonly schema: z.ZodObject;
  /** Options of the program it replaces that are refused by name. */
  readonly later?: readonly string[];
  /** Reads what is given where another program's syntax holds instead of ours. @throws ConfigError */
  readonly parse?: (sources: Sources) => unknown;
  /** Where one text for all options would not do: that of a command of its own. */
  readonly help?: (argv: readonly string[]) => string;
  /** Runs until it is stopped; the exit status. `reread` makes the configuration anew of the same sources. @throws ConfigError */
  run(config: never, reread: () => never): Promise<number>;
}

export function commandHelp(command: Command): string {
  const all = optionsOf(command.schema);
  const operands = all.flatMap((option) => option.operands ?? []).map((name) => ` [${name} …]`);
  const options = all.filter((option) => !option.hidden && option.operands === undefined);
  const rows = options.map((option) => [flags(option), option.description + facts(option, options)] as const);
  const ours = command.parse === undefined;
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    `Usage: longhaul ${command.name} [options]${operands.join("")}`,
    "",
    command.text,
    "",
    "Options:",
    ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`),
    ...(ours ? [`  ${"-c, --config FILE".padEnd(width)}  JSON file with option names as keys; it overrides the command line`] : []),
    `  ${"-h, --help".padEnd(width)}  this text`,
    "",
    ...(ours ? ["Every option can also be given in the environment, as LONGHAUL_ and its name in capitals.", ""] : []),
    "Examples:",
    ...command.examples.map((line) => `  ${line}`),
    "",
  ].join("\n");
}

function flags({ key, names, short, pairs, switch: isSwitch }: Option): string {
  const long = [key, ...names.filter((name) => name !== key && name !== short)].map((name) => `--${name}`).join(", ");
  return `${short === undefined ? "    " : `-${short}, `}${long}${isSwitch ? "" : pairs ? " NAME=V" : " V"}`;
}

function facts({ choices, initial, initialBy, secret, pairs, list, switch: isSwitch }: Option, options: readonly Option[]): string {
  const parts = [];
  if (choices !== undefined) parts.push(choices.join(" | "));
  const others = { ...initialBy?.values };
  const usual = String(options.find(({ key }) => key === initialBy?.option)?.initial);
  if (initial !== undefined && initial !== "" && !isSwitch && !secret && !pairs && !list) {
    // Where the other option's own default decides, that is what most will have.
    parts.push(
      usual in others
        ? `default ${String(others[usual])}; ${String(initial)} with another --${initialBy?.option}`
        : `default ${String(initial)}`,
    );
    delete others[usual];
  }
  for (const [value, other] of Object.entries(others)) parts.push(`${String(other)} with --${initialBy?.option} ${value}`);
  if (initialBy?.given !== undefined) parts.push(`none with ${initialBy.given.map((name) => `--${name}`).join(" or ")}`);
  return parts.length === 0 ? "" : ` (${parts.join("; ")})`;
}
