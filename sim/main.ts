/**
 * Simulations by name, in virtual time:
 *
 *   npm run sim -- --list
 *   npm run sim -- --scenario kcp-loss --seed 7
 */
import { parseArgs } from "../test/script-args.ts";
import { fingerprint, play } from "./scenario.ts";
import { scenarios } from "./scenarios.ts";

const HELP = `Runs simulations in virtual time.

  npm run sim -- --list                       names and what they are about
  npm run sim -- --scenario NAME [--seed N]   runs one; N is 1 by default
  npm run sim -- --all [--seed N]             runs all

The same seed gives the same run, to the last bit of its fingerprint.
`;

const options = {
  help: { type: "boolean", short: "h" },
  list: { type: "boolean" },
  all: { type: "boolean" },
  scenario: { type: "string" },
  seed: { type: "string", default: "1" },
} as const;

/** Status 0: done; 1: a scenario failed; 2: mistyped. */
function main(args: string[]): number {
  const { values } = parseArgs({ args, options });
  const seed = Number(values.seed);
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
    console.error(`--seed is "${values.seed}"; allowed is a whole number of 0 to 4294967295.`);
    return 2;
  }
  const named = values.all === true ? scenarios : scenarios.filter(({ name }) => name === values.scenario);
  if (values.list === true) {
    for (const { name, about } of scenarios) console.log(`${name.padEnd(24)} ${about}`);
    return 0;
  }
  if (values.help === true || (values.scenario === undefined && values.all !== true)) {
    console.log(HELP);
    return values.help === true ? 0 : 2;
  }
  if (named.length === 0) {
    console.error(`--scenario is "${values.scenario}"; allowed is one of ${scenarios.map(({ name }) => name).join(", ")}.`);
    return 2;
  }
  let status = 0;
  for (const scenario of named) {
    try {
      const { text, counted } = play(scenario, seed);
      process.stdout.write(text);
      console.error(`${scenario.name}, seed ${seed}: fingerprint ${fingerprint(counted)}`);
    } catch (error) {
      console.error(error instanceof Error ? error.message : error);
      status = 1;
    }
  }
  return status;
}

try {
  process.exitCode = main(process.argv.slice(2));
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
  process.exitCode = 2;
}
