/** An option as the command line sees it, read off a zod schema. */
import { z } from "zod";

export interface Option {
  readonly key: string;
  /** Long names, the canonical one first, then aliases and one-letter forms. */
  readonly names: readonly string[];
  readonly short: string | undefined;
  readonly env: readonly string[];
  readonly description: string;
  readonly hidden: boolean;
  /** Its value is never printed. */
  readonly secret: boolean;
  /** May stand without a value. */
  readonly switch: boolean;
  /** Its values stand alone, as many as are given: their name in the help. */
  readonly operands: string | undefined;
  /** Takes name=value, several times or with commas. */
  readonly pairs: boolean;
  /** May be given several times, or with commas. */
  readonly list: boolean;
  readonly choices: readonly string[] | undefined;
  readonly range: { readonly least: number; readonly most: number } | undefined;
  /** Of the range all numbers, not the whole ones alone. */
  readonly fraction: boolean;
  readonly initial: unknown;
  /** Its default when another option has one of these values. */
  readonly initialBy: Dependence | undefined;
  readonly fallback: Fallback | undefined;
}

/** What is taken for a choice that does not exist: while the switch `when` is on, and under kcptun's own names always. */
export interface Fallback {
  readonly when?: string;
  readonly value: string;
}

/** By the value of one option, or by whether any of several is given at all. */
export interface Dependence {
  readonly option?: string;
  readonly values?: Readonly<Record<string, unknown>>;
  readonly given?: readonly string[];
  readonly value?: unknown;
}

interface Meta {
  readonly operands?: string;
  readonly alias?: readonly string[];
  readonly short?: string;
  readonly env?: readonly string[];
  readonly hidden?: boolean;
  readonly secret?: boolean;
  readonly initialBy?: Dependence;
  readonly fallback?: Fallback;
}

export function optionsOf(schema: z.ZodObject): Option[] {
  return Object.entries(schema.shape).map(([key, value]) => {
    const outer = value as z.ZodType;
    const meta = (outer.meta() ?? {}) as Meta;
    const inner = outer instanceof z.ZodDefault ? (outer.def.innerType as z.ZodType) : outer;
    return {
      key,
      names: [key, ...(meta.alias ?? []), ...(meta.short === undefined ? [] : [meta.short])],
      short: meta.short,
      env: meta.env ?? [],
      description: outer.description ?? "",
      hidden: meta.hidden ?? false,
      secret: meta.secret ?? false,
      switch: inner instanceof z.ZodPipe || inner instanceof z.ZodCodec,
      operands: meta.operands,
      pairs: inner instanceof z.ZodRecord,
      list: inner instanceof z.ZodArray,
      choices: inner instanceof z.ZodEnum ? inner.options.map(String) : undefined,
      fraction: inner instanceof z.ZodNumber && inner.format === null,
      range: inner instanceof z.ZodNumber ? { least: inner.minValue ?? 0, most: inner.maxValue ?? Number.MAX_SAFE_INTEGER } : undefined,
      initial: outer instanceof z.ZodDefault ? outer.def.defaultValue : undefined,
      initialBy: meta.initialBy,
      fallback: meta.fallback,
    };
  });
}

/** "a whole number from 64 to 1500 (bytes in one UDP datagram)" */
export function describeOption({ choices, range, fraction, description, pairs, list, switch: isSwitch }: Option): string {
  if (choices !== undefined) return `one of ${choices.join(", ")} (${description})`;
  if (range !== undefined) return `a ${fraction ? "" : "whole "}number from ${range.least} to ${range.most} (${description})`;
  if (pairs) return `name=value pairs (${description})`;
  if (list) return `texts, once for each or with commas (${description})`;
  return `${isSwitch ? "true or false" : "a text"} (${description})`;
}
