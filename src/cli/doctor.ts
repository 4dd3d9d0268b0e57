/** `longhaul doctor`: measures the way to a server and says in plain sentences what is wrong with it and which options fit. */
import { z } from "zod";
import { ConfigError } from "../base/errors.ts";
import type { CipherName } from "../cipher/names.ts";
import { startLoopWorker } from "../host/worker.ts";
import { clientConfig } from "../tunnel/config.ts";
import { advice, type Findings, sentences } from "../tunnel/findings.ts";
import { parseServer } from "../tunnel/server-address.ts";
import type { Command } from "./command.ts";
import type { DoctorData, DoctorMessage } from "./doctor-worker.ts";

const doctorConfig = z.strictObject({
  remoteaddr: z
    .string()
    .default("vps:29900")
    .describe('the "longhaul server": host:port; %INTERFACE or %ADDRESS behind it: where to leave from')
    .meta({ short: "r" }),
  key: clientConfig.shape.key,
  crypt: clientConfig.shape.crypt,
  rate: z.coerce.number().min(0.5).max(1000).default(20).describe("most Mbit/s of the heavy load, 1.5 s each way"),
  nat: z.coerce
    .number()
    .int()
    .min(0)
    .max(600)
    .default(0)
    .describe("also try pauses of 15, 30, 60, … s, up to so many: how long a NAT on the way remembers us"),
  json: z.stringbool().default(false).describe("what was measured as one line of JSON, without progress"),
});
type DoctorConfig = z.output<typeof doctorConfig>;

export const doctor: Command = {
  name: "doctor",
  text: `Measures the way to a running "longhaul server" in about 12 seconds, both directions: round trip, jitter, loss and its runs, reordering, what the way carries,
whether UDP is policed, queues, the longest datagram. Says what it found, and which options fit: for two ends of Longhaul, and for a kcptun at the other end.
It sends 40 packets back to back three times, 0.8 Mbit/s for 3 s and --rate for 1.5 s each way. Exit status 1: nothing could be measured.`,
  examples: [
    "longhaul doctor -r far.example:29900 --key SECRET",
    "longhaul doctor -r far.example:29900%eth1 --key SECRET",
    "longhaul doctor -r far.example:29900 --key SECRET --nat 120 --json",
  ],
  schema: doctorConfig,
  run: runDoctor,
};

async function runDoctor({ remoteaddr, key, crypt, rate, nat, json }: DoctorConfig): Promise<number> {
  const { host, least: port, most, departure = {} } = parseServer("remoteaddr", remoteaddr);
  if (most !== port) throw new ConfigError("remoteaddr", `--remoteaddr: "${remoteaddr}" is not allowed; give one port and no range`);
  const data: DoctorData = {
    host: host === "::" ? "::1" : host,
    port,
    departure,
    key,
    crypt: crypt as CipherName,
    mbpsMax: rate,
    natSeconds: nat,
  };
  let findings: Findings | undefined;
  const worker = startLoopWorker<DoctorData, never, DoctorMessage>({
    module: new URL("./doctor-worker.ts", import.meta.url),
    data,
    onMessage: (message) => {
      if (message.kind === "done") findings = message.findings;
      else if (message.kind === "refused") process.stderr.write(`longhaul doctor: ${message.message}\n`);
      else if (!json) process.stderr.write(`… ${message.step}\n`);
    },
  });
  await worker.ended;
  if (findings === undefined) return 1;
  if (json) process.stdout.write(`${JSON.stringify({ ...findings, sentences: sentences(findings) })}\n`);
  else process.stdout.write(page(findings, remoteaddr));
  return findings.answer === "ours" ? 0 : 1;
}

function page(findings: Findings, server: string): string {
  const said = sentences(findings).join("\n");
  if (findings.answer !== "ours") return `${said}\n`;
  const { ours, kcptun } = advice(findings, server);
  return `
${said}

Options that fit:
  ${ours.server}
  ${ours.client}
With a kcptun at the other end, its options and ours: ${kcptun}
`;
}
