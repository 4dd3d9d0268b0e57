/**
 * udp2raw's command line and its file, read by its rules.
 *
 *   -lADDRESS  -l ADDRESS  -ca        one-letter options: the value may follow at once, switches may stand together
 *   --key VALUE  --key=VALUE          never abbreviated; what follows is the value whatever it looks like
 *
 *   file      one option on a line, split once at the first blanks; the rest of the line is the value, blanks, quotes and # included;
 *             empty lines and lines that begin with # are skipped
 *
 *   --next                            another end in this process begins; what it does not say is as the first end says it, but for addresses, ports and pipes
 *
 * An option given twice (in an end) is refused, in whichever form and wherever. The file's options stand behind those of the command line.
 *
 * Source: reference udp2raw.md sections 2 and 2.1. Deviations: a file may have lines that end in CR LF; --next.
 */
import { readFileSync } from "node:fs";
import { ConfigError } from "../base/errors.ts";
import type { Option } from "./option.ts";
import { type Later, unknownOption } from "./unknown-option.ts";

const FILE = "conf-file";

/** Texts by the options' keys, of each end. @throws ConfigError */
export function readRawArguments(argv: readonly string[], options: readonly Option[], later: Later): Record<string, string>[] {
  const sections: Record<string, string>[] = [{}];
  read(argv, options, later, sections);
  const file = sections.find((section) => section[FILE] !== undefined)?.[FILE];
  // Its own --conf-file would be the second one, so files do not nest.
  if (file !== undefined) read(argumentsOfFile(file), options, later, sections);
  const [first] = sections as [Record<string, string>, ...Record<string, string>[]];
  return sections.map((section) => inherited(first, section));
}

/** Addresses, ports and pipes are an end's own; everything else holds for those that follow too. */
function inherited(first: Record<string, string>, section: Record<string, string>): Record<string, string> {
  if (section === first) return section;
  const merged = { ...first, ...section };
  for (const key of OWN) {
    delete merged[key];
    if (section[key] !== undefined) merged[key] = section[key];
  }
  // One way to say the password replaces the other.
  if (section.key !== undefined) delete merged["key-file"];
  if (section["key-file"] !== undefined) delete merged.key;
  if (section.client !== undefined) delete merged.server;
  if (section.server !== undefined) delete merged.client;
  return merged;
}

const OWN = ["local", "remote", "source-port", "fifo"];

/** @throws ConfigError when the file cannot be read or a line is no option */
export function argumentsOfFile(path: string): string[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigError(FILE, `--conf-file: "${path}" cannot be used: ${(error as Error).message}`);
  }
  return text.split("\n").flatMap((whole, index) => {
    const line = whole.replace(/\r$/, "").replace(/^[ \t]+|[ \t]+$/g, "");
    if (line === "" || line.startsWith("#")) return [];
    // The line itself is not shown: it may hold the key.
    if (!line.startsWith("-")) throw new ConfigError(FILE, `--conf-file: line ${index + 1} of "${path}" does not begin with -`);
    const [, option = "", value] = /^([^ \t]+)(?:[ \t]+([\s\S]*))?$/.exec(line) ?? [];
    return value === undefined ? [option] : [option, value];
  });
}

function read(argv: readonly string[], options: readonly Option[], later: Later, sections: Record<string, string>[]): void {
  let next = 0;
  let given = sections.at(-1)!;
  const put = (shown: string, option: Option, glued: string | undefined): void => {
    if (given[option.key] !== undefined) throw new ConfigError(option.key, `${shown}: given twice; give it once`);
    const value = glued ?? (option.switch ? "true" : argv[next++]);
    if (value === undefined || value === "") throw new ConfigError(option.key, `${shown} needs a value; see --help`);
    given[option.key] = value;
  };
  while (next < argv.length) {
    const argument = argv[next++]!;
    if (argument === "--next") {
      given = {};
      sections.push(given);
      continue;
    }
    const long = /^--([^=]+)(?:=([\s\S]*))?$/.exec(argument);
    if (long !== null) {
      const option = options.find(({ names, short }) => names.some((name) => name === long[1] && name !== short));
      if (option === undefined) throw unknownOption(options, long[1]!, later);
      if (option.switch && long[2] !== undefined) throw new ConfigError(option.key, `--${long[1]} takes no value; leave "=" out`);
      put(`--${long[1]}`, option, long[2]);
      continue;
    }
    // Not quoted: it may be a part of a key that was not put into quotes.
    if (!/^-[^-]/.test(argument)) throw new ConfigError("", `argument ${next} is not an option; options begin with - or --, see --help`);
    for (let i = 1; i < argument.length; i++) {
      const letter = argument[i]!;
      const option = options.find(({ short }) => short === letter);
      if (option === undefined) throw new ConfigError(letter, `unknown option -${letter}; see --help`);
      if (option.switch) put(`-${letter}`, option, undefined);
      else {
        put(`-${letter}`, option, argument.slice(i + 1) || undefined);
        break;
      }
    }
  }
}
