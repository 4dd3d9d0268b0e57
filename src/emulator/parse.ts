/**
 * Link parameters and traces as text, the language of the netlab emulator, so that one line describes a link in the simulator, in the demo and
 * on real interfaces.
 *
 *   delay=100 loss=1% rate=20mbit qbytes=512k          "k=v" between blanks or commas
 *   ge=5%:5                                            mean loss 5 %, bursts of 5 datagrams
 *
 *   # a trace: seconds, direction, changes
 *   10 both rate=8mbit
 *   20 both rate=20mbit
 *   loop 30
 *
 * Deviations from netlab: `udpflow` and `icmpdrop` are not known, as a link here carries one protocol.
 */
import { ConfigError } from "../base/errors.ts";
import type { Millis } from "../base/units.ts";
import { type BurstLoss, IDEAL, type LinkParameters } from "./parameters.ts";
import { count, probability, quantity, TextError, time, yesNo } from "./quantity.ts";

/** Tuning: what "rextra=P" means without a time. */
const HOLD_DELAY: Millis = 5;
/** Datagrams of a burst when "ge=AVERAGE" names none. */
const BURST_DATAGRAMS = "5";

const KEYS: Readonly<Record<string, (value: string) => Partial<LinkParameters>>> = {
  delay: (value) => ({ delay: time(value) }),
  jitter: (value) => ({ jitter: time(value) }),
  jdist: (value) => ({ jitterDistribution: distribution(value) }),
  reorder: (value) => ({ reorder: yesNo(value) }),
  rextra: (value) => {
    const [share, held] = parts(value, 1, 2);
    return { holdProbability: probability(share!), holdDelay: held === undefined ? HOLD_DELAY : time(held) };
  },
  loss: (value) => ({ loss: probability(value) }),
  ge: (value) => ({ burstLoss: burstsOfMean(value) }),
  gem: (value) => {
    const [enter, leave, bad = "1", good = "0"] = parts(value, 2, 4);
    const burstLoss = { enter: probability(enter!), leave: probability(leave!), lossBad: probability(bad), lossGood: probability(good) };
    return { burstLoss: { per: "datagram", ...burstLoss } };
  },
  get: (value) => {
    const [good, bad, lossBad = "1"] = parts(value, 2, 3);
    const [enter, leave] = [time(good!), time(bad!)];
    if (enter === 0 || leave === 0) throw new TextError("times above 0");
    return { burstLoss: { per: "time", enter, leave, lossBad: probability(lossBad), lossGood: 0 } };
  },
  lossat: (value) => {
    if (value !== "in" && value !== "out") throw new TextError("in or out");
    return { lossBeforeQueue: value === "in" };
  },
  rate: (value) => ({ rate: quantity(value, 1000) }),
  ovh: (value) => ({ overheadBytes: count(value) }),
  qbytes: (value) => ({ queueBytes: quantity(value, 1024) }),
  qpkts: (value) => ({ queueDatagrams: quantity(value, 1000) }),
  udprate: (value) => ({ policedRate: quantity(value, 1000) }),
  udpburst: (value) => ({ policedBurst: quantity(value, 1024) }),
  udpdrop: (value) => ({ udpDrop: probability(value) }),
  tcpdrop: (value) => ({ tcpDrop: probability(value) }),
  dup: (value) => ({ duplicate: probability(value) }),
  down: (value) => ({ down: yesNo(value) }),
};

function distribution(value: string): LinkParameters["jitterDistribution"] {
  const found = (["uniform", "normal", "exponential"] as const).find((name) => value !== "" && name.startsWith(value));
  if (found === undefined) throw new TextError("uniform, normal or exp");
  return found;
}

/** "AVERAGE:BURST:BAD:GOOD": mean loss, mean burst in datagrams, loss in the bad and in the good state; the transitions follow from them. */
function burstsOfMean(value: string): BurstLoss | undefined {
  const [average, burst = BURST_DATAGRAMS, bad = "1", good = "0"] = parts(value, 1, 4);
  const mean = probability(average!);
  if (mean === 0) return undefined;
  const [lossBad, lossGood, leave] = [probability(bad), probability(good), 1 / count(burst)];
  const share = (mean - lossGood) / (lossBad - lossGood);
  const enter = (leave * share) / (1 - share);
  if (!(share > 0 && share < 1 && leave <= 1 && enter <= 1)) {
    throw new TextError("a mean loss between that of the good and the bad state, with bursts of at least 1 that are long enough for it");
  }
  return { per: "datagram", enter, leave, lossBad, lossGood };
}

function parts(value: string, least: number, most: number): string[] {
  const found = value.split(":");
  if (found.length < least || found.length > most) throw new TextError(`${least} to ${most} values with ":" between`);
  return found;
}

/**
 * Parameters from text, on top of `base`. "delay=100 loss=1% rate=20mbit qbytes=512k"
 * @throws ConfigError for an unknown key or a value out of range
 */
export function parseLink(text: string, base: LinkParameters = IDEAL): LinkParameters {
  let parameters = base;
  for (const word of text.split(/[\s,]+/).filter((word) => word !== "")) {
    const equals = word.indexOf("=");
    const key = equals < 0 ? word : word.slice(0, equals);
    const parse = Object.hasOwn(KEYS, key) ? KEYS[key] : undefined;
    if (parse === undefined || equals < 0) {
      const known = Object.keys(KEYS).join(", ");
      throw new ConfigError("link", `link: "${word}" is not key=value with one of the keys ${known}.`);
    }
    const value = word.slice(equals + 1);
    try {
      parameters = { ...parameters, ...parse(value) };
    } catch (error) {
      if (!(error instanceof TextError)) throw error;
      throw new ConfigError(`link.${key}`, `link: ${key} is "${value}"; allowed is ${error.allowed}.`);
    }
  }
  return parameters;
}

/** Changes of parameters over time. */
export interface LinkTrace {
  /** Ascending in time. */
  readonly events: readonly TraceEvent[];
  /** Time after which it begins again, 0 = never. */
  readonly loop: Millis;
}

export interface TraceEvent {
  readonly at: Millis;
  readonly direction: "ab" | "ba" | "both";
  /** Text for `parseLink`. */
  readonly change: string;
}

/** @throws ConfigError that names the line */
export function parseTrace(text: string): LinkTrace {
  const events: TraceEvent[] = [];
  let loop = 0;
  for (const [i, line] of text.split("\n").entries()) {
    const content = line.replace(/#.*/, "").trim();
    if (content === "") continue;
    const looped = /^loop\s+(\d+(?:\.\d+)?)$/.exec(content);
    const event = /^(\d+(?:\.\d+)?)\s+(ab|ba|both)\s+(.+)$/.exec(content);
    if (looped !== null) {
      loop = Number(looped[1]) * 1000;
    } else if (event !== null) {
      const change = event[3]!;
      parseLink(change);
      events.push({ at: Number(event[1]) * 1000, direction: event[2] as TraceEvent["direction"], change });
    } else {
      throw new ConfigError(
        "trace",
        `trace: line ${i + 1} is "${content}"; allowed is "SECONDS ab|ba|both key=value …" or "loop SECONDS".`,
      );
    }
  }
  events.sort((a, b) => a.at - b.at);
  const last = events.at(-1);
  if (loop > 0 && last !== undefined && last.at >= loop) {
    throw new ConfigError(
      "trace.loop",
      `trace: loop is ${loop / 1000} s; allowed is more than the ${last.at / 1000} s of the last change.`,
    );
  }
  return { events, loop };
}
