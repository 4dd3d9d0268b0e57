/** Numbers with units as people write links: 1%, 100ms, 20mbit, 512k. */
import type { Millis } from "../base/units.ts";

/** The text is not what is allowed; the parser of the key makes a ConfigError of it. */
export class TextError extends Error {
  override readonly name = "TextError";
  readonly code = "ERR_LONGHAUL_LINK_TEXT";
  readonly allowed: string;

  constructor(allowed: string) {
    super(`allowed is ${allowed}`);
    this.allowed = allowed;
  }
}

function split(text: string, allowed: string): { value: number; unit: string } {
  const match = /^(\d+(?:\.\d*)?|\.\d+)([a-zA-Z%]*)$/.exec(text);
  if (match === null) throw new TextError(allowed);
  return { value: Number(match[1]), unit: match[2]!.toLowerCase() };
}

/** "1%" or "0.01". */
export function probability(text: string): number {
  const allowed = "0 to 1 or 0% to 100%";
  const { value, unit } = split(text, allowed);
  const share = unit === "%" ? value / 100 : value;
  if ((unit !== "" && unit !== "%") || share > 1) throw new TextError(allowed);
  return share;
}

const TIMES: Readonly<Record<string, number>> = { "": 1, ms: 1, s: 1000, us: 0.001 };

/** "100", "100ms", "0.1s", "250us". */
export function time(text: string): Millis {
  const allowed = "a time such as 100, 100ms, 0.1s or 250us";
  const { value, unit } = split(text, allowed);
  const scale = TIMES[unit];
  if (scale === undefined) throw new TextError(allowed);
  return value * scale;
}

const POWERS: Readonly<Record<string, number>> = { "": 0, k: 1, m: 2, g: 3 };

/** "512k", "20mbit", "64kb": `thousand` is what one k stands for, 1000 or 1024. */
export function quantity(text: string, thousand: number): number {
  const allowed = "a number such as 64000, 512k or 20m";
  const { value, unit } = split(text, allowed);
  const power = POWERS[unit.replace(/(bit|bps|b)$/, "")];
  if (power === undefined) throw new TextError(allowed);
  return value * thousand ** power;
}

/** "5": zero or more, without a unit. */
export function count(text: string): number {
  const { value, unit } = split(text, "a number");
  if (unit !== "") throw new TextError("a number without a unit");
  return value;
}

export function yesNo(text: string): boolean {
  if (text !== "0" && text !== "1") throw new TextError("0 or 1");
  return text === "1";
}
