/**
 * Inputs made from the published model of Global Accelerator (botocore's service-2.json, which comes with Debian's awscli and is not ours to keep): for each
 * operation what is valid at the borders, and what breaks each single constraint.
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

interface Shape {
  readonly type: "structure" | "list" | "string" | "integer" | "float" | "boolean" | "timestamp";
  readonly members?: Readonly<Record<string, { readonly shape: string }>>;
  readonly required?: readonly string[];
  readonly member?: { readonly shape: string };
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
}

interface ModelOperation {
  readonly input?: { readonly shape: string };
  readonly errors?: readonly { readonly shape: string }[];
}

export interface Case {
  readonly what: string;
  readonly input: unknown;
  readonly valid: boolean;
}

/** Longest that is tried where the model has no limit. */
const LONG = 300;

export class Model {
  readonly path: string;
  readonly operations: readonly string[];
  readonly #operations: Readonly<Record<string, ModelOperation>>;
  readonly #shapes: Readonly<Record<string, Shape>>;

  private constructor(path: string) {
    const bytes = readFileSync(path);
    const { operations, shapes } = JSON.parse((path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString()) as {
      operations: Record<string, ModelOperation>;
      shapes: Record<string, Shape>;
    };
    this.path = path;
    this.operations = Object.keys(operations).sort();
    this.#operations = operations;
    this.#shapes = shapes;
  }

  /** LONGHAUL_BOTOCORE names the folder of another botocore; undefined: there is none. */
  static find(): Model | undefined {
    const folders = [
      process.env.LONGHAUL_BOTOCORE ?? "",
      "/usr/lib/python3/dist-packages/awscli/botocore",
      "/usr/lib/python3/dist-packages/botocore",
    ];
    const path = folders
      .filter((folder) => folder !== "" && existsSync(folder))
      .flatMap((folder) => globSync(`${folder}/data/globalaccelerator/*/service-2.json*`))[0];
    return path === undefined ? undefined : new Model(path);
  }

  errorsOf(operation: string): readonly string[] {
    return (this.#operations[operation]!.errors ?? []).map(({ shape }) => shape);
  }

  /** All members that are required, in the middle of what is allowed. */
  minimal(operation: string): Record<string, unknown> {
    const { input } = this.#operations[operation]!;
    return input === undefined ? {} : (this.#sample(input.shape, false) as Record<string, unknown>);
  }

  cases(operation: string): Case[] {
    const { input } = this.#operations[operation]!;
    return input === undefined ? [{ what: "nothing", input: {}, valid: true }] : this.#casesOf(input.shape, operation);
  }

  /** `full`: with members that are not required. */
  #sample(name: string, full: boolean): unknown {
    const shape = this.#shapes[name]!;
    switch (shape.type) {
      case "structure":
        return Object.fromEntries(
          Object.entries(shape.members!)
            .filter(([member]) => full || shape.required?.includes(member))
            .map(([member, { shape: inner }]) => [member, this.#sample(inner, full)]),
        );
      case "list":
        return Array.from({ length: Math.max(shape.min ?? 0, full ? 1 : 0) }, () => this.#sample(shape.member!.shape, full));
      case "string":
        return shape.enum?.[0] ?? text(shape, Math.max(shape.min ?? 0, Math.min(shape.max ?? 8, 8)));
      case "boolean":
        return true;
      default:
        return shape.min ?? 1;
    }
  }

  #casesOf(name: string, what: string): Case[] {
    const shape = this.#shapes[name]!;
    const made = (label: string, input: unknown, valid: boolean): Case => ({ what: `${what} ${label}`, input, valid });
    const wrongTypes = [shape.type === "string" ? 5 : "x", shape.type === "structure" ? [] : {}].map((value) =>
      made("of a wrong type", value, false),
    );
    switch (shape.type) {
      case "structure":
        return [...wrongTypes, ...this.#casesOfStructure(shape, name, what)];
      case "list": {
        const inner = this.#casesOf(shape.member!.shape, `${what}[]`).map((one) => ({ ...one, input: [one.input] }));
        const of = (length: number): unknown[] => Array.from({ length }, () => this.#sample(shape.member!.shape, false));
        const [min = 0, max] = [shape.min, shape.max];
        return [
          ...wrongTypes,
          ...inner.filter(() => (max ?? 1) >= 1 && min <= 1),
          made(`of ${min}`, of(min), true),
          ...(min > 0 ? [made(`of ${min - 1}`, of(min - 1), false)] : []),
          ...(max === undefined ? [] : [made(`of ${max}`, of(max), true), made(`of ${max + 1}`, of(max + 1), false)]),
        ];
      }
      case "string": {
        if (shape.enum !== undefined)
          return [...wrongTypes, ...shape.enum.map((value) => made(value, value, true)), made("not in the set", "OTHER", false)];
        const [min = 0, max] = [shape.min, shape.max];
        return [
          ...wrongTypes,
          made(`of length ${min}`, text(shape, Math.max(min, shape.pattern === undefined ? 0 : 1)), true),
          ...(min > 0 ? [made(`of length ${min - 1}`, "a".repeat(min - 1), false)] : []),
          made(`of length ${max ?? LONG}`, text(shape, max ?? LONG), true),
          ...(max === undefined ? [] : [made(`of length ${max + 1}`, text(shape, max + 1), false)]),
          ...(shape.pattern === undefined || new RegExp(shape.pattern).test("~") ? [] : [made("against its pattern", "~", false)]),
        ];
      }
      case "integer":
      case "float": {
        const [min, max] = [shape.min, shape.max];
        return [
          ...wrongTypes,
          ...(min === undefined ? [] : [made(`${min}`, min, true), made(`${min - 1}`, min - 1, false)]),
          ...(max === undefined ? [] : [made(`${max}`, max, true), made(`${max + 1}`, max + 1, false)]),
          ...(shape.type === "integer" ? [made("a fraction", (min ?? 0) + 0.5, false)] : [made("a fraction", (min ?? 0) + 0.5, true)]),
        ];
      }
      default:
        return [...wrongTypes, made("false", false, true)];
    }
  }

  #casesOfStructure({ members = {}, required = [] }: Shape, name: string, what: string): Case[] {
    const least = this.#sample(name, false) as Record<string, unknown>;
    const without = (member: string) => Object.fromEntries(Object.entries(least).filter(([key]) => key !== member));
    return [
      { what: `${what} with what is required`, input: least, valid: true },
      { what: `${what} with everything`, input: this.#sample(name, true), valid: true },
      ...required.map((member) => ({ what: `${what} without ${member}`, input: without(member), valid: false })),
      ...Object.entries(members).flatMap(([member, { shape }]) =>
        this.#casesOf(shape, `${what}.${member}`).map((one) => ({ ...one, input: { ...least, [member]: one.input } })),
      ),
    ];
  }
}

/** A text of this length that fits the pattern, if there is one. */
function text({ pattern }: Shape, length: number): string {
  const candidates = ["a", "1", "/"].map(
    (first) => first.repeat(Math.min(length, 1)) + (first === "1" ? "1" : "a").repeat(Math.max(length - 1, 0)),
  );
  return candidates.find((one) => pattern === undefined || new RegExp(pattern).test(one)) ?? "arn:".padEnd(length, "a");
}
