/** What was measured of a way, and what follows from it in plain sentences. */
import type { Bytes, Millis } from "../base/units.ts";

/** Of one direction under little load: share that was lost, mean run of it, share that came behind a later one. */
export interface Light {
  readonly loss: number;
  readonly run: number;
  readonly late: number;
  readonly jitterMs: Millis;
}

/** Under much load: what was offered and what arrived in Mbit/s, share lost, and how much longer than the fastest the packets took. */
export interface Heavy {
  readonly offeredMbps: number;
  readonly deliveredMbps: number;
  readonly loss: number;
  readonly queueMs: Millis;
}

export interface Direction {
  /** Mbit/s of packets back to back, 0 when they told nothing. */
  readonly trainMbps: number;
  readonly light: Light;
  readonly heavy: Heavy;
}

export type Findings =
  /** Nobody answers · somebody does, but under another key · it is no server that measures · it answers, but nothing else gets through. */
  | { readonly answer: "nobody" | "unreadable" | "other" | "lost" }
  | {
      readonly answer: "ours";
      readonly rtt: { readonly least: Millis; readonly median: Millis; readonly p95: Millis };
      readonly questions: number;
      readonly answers: number;
      readonly up: Direction;
      readonly down: Direction;
      /** Longest UDP payload that got there. */
      readonly datagramBytes: Bytes;
      /** Longest pause after which the server still reached us; whether a longer one was tried in vain. */
      readonly nat?: { readonly rememberedSeconds: number; readonly forgot: boolean };
    };

type Measured = Extract<Findings, { answer: "ours" }>;

/** Tuning: what is worth a sentence. */
const LOSS_SEEN = 0.002;
const RUN_LONG = 2;
const POLICED_LOSS = 0.1;
const QUEUE_MS: Millis = 20;
const JITTER_MS: Millis = 10;
const LATE_SEEN = 0.01;
const DATAGRAM_BYTES: Bytes = 1350;

/** Much is lost of a heavy load that was not of a light one, and no queue tells that the way is full. */
export function policed({ light, heavy }: Direction): boolean {
  return heavy.loss > light.loss + POLICED_LOSS && heavy.queueMs < QUEUE_MS && heavy.deliveredMbps < 0.8 * heavy.offeredMbps;
}

/** Mbit/s that get through, as far as was tried. */
export function carried(direction: Direction): number {
  const { trainMbps, heavy } = direction;
  const full = heavy.queueMs >= QUEUE_MS && heavy.loss > POLICED_LOSS;
  return policed(direction) || full ? heavy.deliveredMbps : Math.max(trainMbps, heavy.deliveredMbps);
}

/** What was found, a sentence each. */
export function sentences(findings: Findings): string[] {
  switch (findings.answer) {
    case "nobody":
      return [
        "Nobody answers who could measure: nothing listens there, UDP is blocked on the way, key or crypt differ from the server's, or a kcptun stands there, which cannot. Where UDP is blocked another carrier may get through (docs/carriers.md).",
      ];
    case "unreadable":
      return ["Somebody answers, but what he says does not decrypt: key or crypt differ from the server's."];
    case "other":
      return ["A server answers that cannot measure: a kcptun, or a Longhaul that is older or runs without extensions."];
    case "lost":
      return ["The server answers, but then nothing gets through: nearly everything is lost."];
    case "ours":
      return measured(findings);
  }
}

function measured(findings: Measured): string[] {
  const { rtt, up, down, datagramBytes, nat } = findings;
  const jitter = Math.max(up.light.jitterMs, down.light.jitterMs);
  const said = [`A round trip takes ${ms(rtt.least)} at least and ${ms(rtt.p95)} at most in 95 of 100 cases.`];
  if (jitter >= JITTER_MS)
    said.push(
      `Delays vary by ${ms(jitter)} from packet to packet: what is late here is often not lost, so resending early only costs bytes.`,
    );
  for (const [name, way] of [
    ["there", up],
    ["back", down],
  ] as const)
    said.push(...ofDirection(name, way));
  if (datagramBytes < DATAGRAM_BYTES)
    said.push(`Datagrams of more than ${datagramBytes} bytes do not get there: give --mtu ${datagramBytes} at both ends.`);
  if (nat?.forgot === true)
    said.push(
      `After a pause of ${Math.max(15, nat.rememberedSeconds * 2)} s the server does not reach us any more: --keepalive must be less than ${Math.max(15, nat.rememberedSeconds)} s.`,
    );
  else if (nat !== undefined) said.push(`After a pause of ${nat.rememberedSeconds} s the server still reaches us.`);
  return said;
}

function ofDirection(name: string, way: Direction): string[] {
  const { light, heavy } = way;
  const said: string[] = [];
  if (light.loss < LOSS_SEEN) said.push(`On the way ${name} next to nothing is lost.`);
  else if (light.run >= RUN_LONG)
    said.push(
      `On the way ${name} ${percent(light.loss)} are lost, in runs of ${light.run.toFixed(1)} packets: short FEC groups do not cover that, resending does.`,
    );
  else said.push(`On the way ${name} ${percent(light.loss)} are lost, one by one: FEC repairs that without a round trip.`);
  if (light.late >= LATE_SEEN) said.push(`${percent(light.late)} of the packets ${name} are overtaken by others.`);
  if (policed(way))
    said.push(
      `UDP is policed on the way ${name}: of ${mbit(heavy.offeredMbps)} ${mbit(heavy.deliveredMbps)} arrive, and no queue builds up. Faketcp or TCP may get more: give both ends such a carrier and the client --path.`,
    );
  else if (heavy.queueMs >= QUEUE_MS)
    said.push(
      `The way ${name} is full at ${mbit(heavy.deliveredMbps)}: packets then stand in a queue for ${ms(heavy.queueMs)} on average.`,
    );
  else
    said.push(
      `The way ${name} carries ${mbit(carried(way))}${way.trainMbps > heavy.offeredMbps ? " in short bursts" : ""}; ${mbit(heavy.offeredMbps)} were tried for longer.`,
    );
  return said;
}

/** Options that fit: for two ends of ours, and for a kcptun at the other end. */
export function advice(findings: Measured, server: string): { readonly ours: { client: string; server: string }; readonly kcptun: string } {
  const { rtt, up, down, datagramBytes } = findings;
  const bad = policed(up) || policed(down);
  const mtu = Math.min(DATAGRAM_BYTES, datagramBytes);
  const loss = Math.max(up.light.loss, down.light.loss);
  const parity = loss < LOSS_SEEN ? 1 : Math.min(5, Math.max(2, Math.ceil(30 * loss + 2)));
  // A window is what is under way in a round trip, parity not counted.
  const window = (way: Direction): number =>
    Math.min(8192, Math.max(128, Math.ceil((carried(way) * 125 * rtt.median * 1.2) / mtu / (1 + parity / 10))));
  const [, host = server, leaves = ""] = /^(.*):\d+(%.*)?$/.exec(server) ?? [];
  const path = bad ? ` --path faketcp=${host}:29901${leaves} --path tcp=${host}:29902${leaves}` : "";
  const listen = bad ? " --carrier udp,faketcp=:29901,tcp=:29902" : "";
  return {
    ours: {
      client: `longhaul client -r ${server} --mode auto --mtu ${mtu}${path}`,
      server: `longhaul server --mode auto --mtu ${mtu}${listen}`,
    },
    kcptun: `--mode fast2 --mtu ${mtu} --datashard 10 --parityshard ${parity} --sndwnd ${window(up)} --rcvwnd ${window(down)}`,
  };
}

const ms = (value: Millis): string => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`;
const percent = (value: number): string => `${(value * 100).toFixed(1)} %`;
const mbit = (value: number): string => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} Mbit/s`;
