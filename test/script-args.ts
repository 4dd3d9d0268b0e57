/** Options of a script (bench, simulation, test): its head comment is its help; what is wrong with them is said in one sentence, exit status 2. */
import { readFileSync } from "node:fs";
import { type ParseArgsConfig, parseArgs as parse } from "node:util";

/** As node:util's, besides: `--help` prints the head comment of the script that runs. */
export function parseArgs<T extends ParseArgsConfig>(config: T): ReturnType<typeof parse<T>> {
  const script = process.argv[1]!;
  if (process.argv.slice(2).some((word) => word === "--help" || word === "-h")) {
    console.log(headOf(readFileSync(script, "utf8")));
    console.log(
      `\nOptions: ${
        Object.keys(config.options ?? {})
          .map((name) => `--${name}`)
          .join(" ") || "none"
      }`,
    );
    process.exit(0);
  }
  try {
    return parse(config);
  } catch (error) {
    if (!(error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS"))) throw error;
    console.error(`${error.message.split(". ")[0]}; --help tells which there are`);
    process.exit(2);
  }
}

/** The first comment without its frame. */
export function headOf(source: string): string {
  const [, body] = /^\s*\/\*\*([\s\S]*?)\*\//.exec(source) ?? [];
  return (body ?? "no description")
    .split("\n")
    .map((line) => line.replace(/^ \* ?/, ""))
    .join("\n")
    .trim();
}
