/** `longhaul forward`: datagrams to a place of this machine go to backends, at the kernel's speed. One command of several. */
import type { z } from "zod";
import { ConfigError } from "../base/errors.ts";
import { type Command, commandHelp } from "./command.ts";
import { parseFlags, type Sources } from "./flags.ts";
import {
  addConfig,
  applyConfig,
  captureConfig,
  checkConfig,
  drainConfig,
  explainConfig,
  flowsConfig,
  listConfig,
  removeConfig,
  runConfig,
  statsConfig,
  topConfig,
} from "./forward-options.ts";

interface Request {
  readonly part: Part;
  readonly config: unknown;
}

interface Part {
  readonly name: string;
  readonly summary: string;
  readonly text: string;
  readonly examples: readonly string[];
  readonly schema: z.ZodObject;
  readonly run: (config: never) => Promise<number>;
}

/** What a part needs is loaded when it runs: the other programs start without. */
const parts: readonly Part[] = [
  {
    name: "add",
    summary: "one more forward",
    text: "Forwards what comes to a place to one of its backends, from now on and after the next start of the machine once `run` runs there.",
    examples: [
      "longhaul forward add --listen 198.51.100.1:5060 --to 10.0.0.11:5060@3,10.0.0.12:5060 --balance source --name sip",
      "longhaul forward add --listen 198.51.100.1:20000-29999 --to 10.0.0.11 --sourcepacketlimit 500",
    ],
    schema: addConfig,
    run: async (config) => (await import("./forward-change.ts")).runAdd(config),
  },
  {
    name: "remove",
    summary: "forwards, or all of them with everything of ours in the kernel",
    text: "Flows end at once, unless they are given time to end by themselves.",
    examples: ["longhaul forward remove sip --drain 600", "longhaul forward remove --all"],
    schema: removeConfig,
    run: async (config) => (await import("./forward-change.ts")).runRemove(config),
  },
  {
    name: "drain",
    summary: "no new flows; those that run go on",
    text: "For maintenance. --off lets new flows in again.",
    examples: ["longhaul forward drain sip", "longhaul forward drain sip --off"],
    schema: drainConfig,
    run: async (config) => (await import("./forward-change.ts")).runDrain(config),
  },
  {
    name: "apply",
    summary: "what a file says, and nothing else",
    text: "All forwards are as the file has them afterwards: only what differs is changed, in one step, and taken back when it does not hold.",
    examples: ["longhaul forward apply forwards.yaml --dry", "longhaul forward apply forwards.yaml"],
    schema: applyConfig,
    run: async (config) => (await import("./forward-change.ts")).runApply(config),
  },
  {
    name: "list",
    summary: "what shall be",
    text: "Forwards as they are kept.",
    examples: ["longhaul forward list", "longhaul forward list --json > forwards.json"],
    schema: listConfig,
    run: async (config) => (await import("./forward-show.ts")).runList(config),
  },
  {
    name: "stats",
    summary: "flows, packets, bytes and drops of each forward",
    text: "Without a process that runs (longhaul forward run) flows that ended are not counted.",
    examples: ["longhaul forward stats", "longhaul forward stats sip --json"],
    schema: statsConfig,
    run: async (config) => (await import("./forward-show.ts")).runStats(config),
  },
  {
    name: "flows",
    summary: "flows with both of their ends",
    text: "Who talks to whom, and as whom.",
    examples: ["longhaul forward flows sip --limit 20"],
    schema: flowsConfig,
    run: async (config) => (await import("./forward-show.ts")).runFlows(config),
  },
  {
    name: "top",
    summary: "rates of forwards and flows, live in the terminal",
    text: "Enter shows the flows of a forward, s sorts, q ends.",
    examples: ["longhaul forward top", "longhaul forward top --once"],
    schema: topConfig,
    run: async (config) => (await import("./forward-top.ts")).runForwardTop(config),
  },
  {
    name: "capture",
    summary: "packets of forwards, some or all, into a pcap file",
    text: "Source and backend are seen as they are: between the two translations.",
    examples: ["longhaul forward capture sip -w sip.pcap --onein 100", "longhaul forward capture -w - | tcpdump -nr -"],
    schema: captureConfig,
    run: async (config) => (await import("./forward-capture.ts")).runCapture(config),
  },
  {
    name: "check",
    summary: "what of this machine keeps forwarding from working",
    text: "Says which datapath is possible and why no faster one, and looks at what decides whether datagrams come through. Status 1: they do not.",
    examples: ["longhaul forward check --fix"],
    schema: checkConfig,
    run: async (config) => (await import("./forward-show.ts")).runCheck(config),
  },
  {
    name: "explain",
    summary: "what happens to a datagram, in words",
    text: "In the order in which a datagram meets it.",
    examples: ["longhaul forward explain sip"],
    schema: explainConfig,
    run: async (config) => (await import("./forward-show.ts")).runExplain(config),
  },
  {
    name: "run",
    summary: "stays: checks backends, counts, serves metrics, restores; moves datagrams itself where the kernel cannot",
    text: `Leads the datapath to what is kept and stays. Where the kernel forwards (nftables, XDP) it goes on when this process ends, however it ends.
The other commands find this process by its state file and have it do what they were told.`,
    examples: ["longhaul forward run --metrics 9109", "longhaul forward run --datapath userspace"],
    schema: runConfig,
    run: async (config) => (await import("./forward-run.ts")).runForward(config),
  },
];

export const forward: Command = {
  name: "forward",
  text: "",
  examples: [],
  schema: listConfig,
  parse: parse,
  help: (argv) => {
    const part = parts.find(({ name }) => name === argv[0]);
    return part === undefined ? help : commandHelp({ ...part, name: `forward ${part.name}`, run: async () => 0 });
  },
  run: async ({ part, config }: Request) => part.run(config as never),
};

function parse(sources: Sources): Request {
  const [name, ...argv] = sources.argv;
  const part = parts.find((each) => each.name === name);
  const known = parts.map((each) => each.name).join(", ");
  if (part === undefined)
    throw new ConfigError("forward", `forward: ${name === undefined ? "nothing" : `"${name}"`} given; give one of ${known}`);
  return { part, config: parseFlags(part.schema, { ...sources, argv }) };
}

const help = `Usage: longhaul forward COMMAND [options]

Datagrams that come to an address and port of this machine go to one of several backends, and answers go back: by the kernel, for tens of
thousands of forwards. Needs the capability CAP_NET_ADMIN (root); without it \`run\` moves the datagrams itself.

Commands:
${parts.map(({ name, summary }) => `  ${name.padEnd(8)} ${summary}`).join("\n")}

longhaul forward COMMAND --help shows the options of one.
`;
