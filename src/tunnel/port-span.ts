/**
 * Forwards of many ports, as media servers have them: port i of a listener's range leads to port i of the target's.
 *
 *   --forward udp::5000-5099=rtp     asks for rtp+0 … rtp+99
 *   --targets rtp=udp:10.0.0.5:6000-6099     rtp+i is port 6000 + i; of a target with one port, every rtp+i is that port
 */
import { ConfigError } from "../base/errors.ts";
import { type PortRange, parsePortRange } from "./address.ts";

/** Most ports of one range: each is a socket. */
const PORTS_MAX = 1024;

/** The range in the text, undefined when it is no "host:min-max". @throws ConfigError that names `key` */
export function parseSpan(key: string, text: string): PortRange | undefined {
  if (!/:\d{1,5}-\d{1,5}$/.test(text)) return undefined;
  const range = parsePortRange(key, text);
  const ports = range.most - range.least + 1;
  if (ports > PORTS_MAX) throw new ConfigError(key, `--${key}: "${text}" are ${ports} ports; give at most ${PORTS_MAX} in a range`);
  return range;
}

/** What is asked for behind port `index` of a range. */
export function placeName(target: string, index: number): string {
  return target === "" ? "" : `${target}+${index}`;
}

/** Takes such a name apart; index 0 for any other. */
export function splitPlace(name: string): { readonly target: string; readonly index: number } {
  const match = /^(.+)\+(\d{1,4})$/.exec(name);
  return match === null ? { target: name, index: 0 } : { target: match[1]!, index: Number(match[2]) };
}
