/**
 * Action Message Format 0: the values of RTMP commands and of script data.
 *
 *   marker u8 · number f64 | boolean u8 | string u16 length, UTF-8 | object: (u16 key length, key, value)… 00 00 09
 *             | reference u16 | array: u32 count, as object | strict array: u32 count, values | date f64 ms, s16 0 | long string u32 length …
 *
 * Source: Adobe AMF 0 specification (2007).
 *
 * Deviations: a reference to an object that is not complete yet would make a cycle and is damage; XML documents are read as strings; AMF3
 * values (marker 17), movie clips and record sets are damage, as the specification says of the reserved two.
 */
import { Reader, type Writer } from "../../base/cursor.ts";
import type { Millis } from "../../base/units.ts";

export type Amf0 = number | boolean | string | null | undefined | Amf0Object | Amf0Date | readonly Amf0[];

export interface Amf0Object {
  readonly kind: "object" | "array";
  /** Name of a typed object's class. */
  readonly className?: string;
  readonly fields: ReadonlyMap<string, Amf0>;
}

export interface Amf0Date {
  readonly kind: "date";
  /** Since 1970 in UTC. */
  readonly unixMillis: Millis;
}

export function amf0Object(fields: Readonly<Record<string, Amf0>>): Amf0Object {
  return { kind: "object", fields: new Map(Object.entries(fields)) };
}

export function isObject(value: Amf0): value is Amf0Object {
  return typeof value === "object" && value !== null && "fields" in value;
}

/** The value of a field when it is a string, else undefined. */
export function stringField(value: Amf0, name: string): string | undefined {
  const field = isObject(value) ? value.fields.get(name) : undefined;
  return typeof field === "string" ? field : undefined;
}

/** The value of a field when it is a finite number, else undefined. */
export function numberField(value: Amf0, name: string): number | undefined {
  const field = isObject(value) ? value.fields.get(name) : undefined;
  return typeof field === "number" && Number.isFinite(field) ? field : undefined;
}

/** Reads values one behind the other; never throws. After damage `value` answers undefined and `damaged` stays true. */
export class Amf0Reader {
  readonly #reader: Reader;
  /** What references point to, numbered as the objects begin; undefined until one is complete. */
  readonly #complete: (Amf0Object | readonly Amf0[] | undefined)[] = [];
  #valuesLeft: number = VALUES_MAX;
  damaged = false;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#reader = new Reader(bytes, start, end);
  }

  get left(): number {
    return this.damaged ? 0 : this.#reader.left;
  }

  value(): Amf0 {
    return this.#value(0);
  }

  #value(depth: number): Amf0 {
    if (this.damaged || depth > DEPTH_MAX || --this.#valuesLeft < 0) return this.#damage();
    const reader = this.#reader;
    const value = this.#marked(reader.u8(), depth);
    return reader.overrun ? this.#damage() : value;
  }

  #marked(marker: number, depth: number): Amf0 {
    const reader = this.#reader;
    if (reader.overrun) return undefined;
    if (marker === MARKER.number) return reader.f64();
    if (marker === MARKER.boolean) return reader.u8() !== 0;
    if (marker === MARKER.string) return this.#text(reader.u16());
    if (marker === MARKER.null) return null;
    if (marker === MARKER.undefined || marker === MARKER.unsupported) return undefined;
    if (marker === MARKER.longString || marker === MARKER.xml) return this.#text(reader.u32());
    if (marker === MARKER.date) return this.#date();
    if (marker === MARKER.reference) return this.#complete[reader.u16()] ?? this.#damage();
    const index = this.#complete.push(undefined) - 1;
    const value = this.#compound(marker, depth);
    this.#complete[index] = value;
    return value;
  }

  #text(length: number): string {
    return decoder.decode(this.#reader.take(length));
  }

  #compound(marker: number, depth: number): Amf0Object | readonly Amf0[] | undefined {
    if (marker === MARKER.object) return { kind: "object", fields: this.#fields(depth) };
    if (marker === MARKER.typedObject) return { kind: "object", className: this.#text(this.#reader.u16()), fields: this.#fields(depth) };
    if (marker === MARKER.strictArray) return this.#strictArray(depth);
    if (marker !== MARKER.ecmaArray) return this.#damage();
    // The count is a hint that writers get wrong; the end marker decides.
    this.#reader.skip(4);
    return { kind: "array", fields: this.#fields(depth) };
  }

  #fields(depth: number): ReadonlyMap<string, Amf0> {
    const fields = new Map<string, Amf0>();
    const reader = this.#reader;
    while (!this.damaged && !reader.overrun) {
      const key = this.#text(reader.u16());
      if (key === "" && reader.left > 0 && reader.bytes[reader.position] === MARKER.objectEnd) {
        reader.skip(1);
        break;
      }
      fields.set(key, this.#value(depth + 1));
    }
    return fields;
  }

  #strictArray(depth: number): readonly Amf0[] {
    const count = this.#reader.u32();
    const values: Amf0[] = [];
    for (let i = 0; i < count && !this.damaged; i++) values.push(this.#value(depth + 1));
    return values;
  }

  #date(): Amf0 {
    const unixMillis = this.#reader.f64();
    this.#reader.skip(2);
    return { kind: "date", unixMillis };
  }

  #damage(): undefined {
    this.damaged = true;
    return undefined;
  }
}

/** Strings may be of any length, keys and class names up to 65,535 bytes of UTF-8. */
export function writeAmf0(into: Writer, value: Amf0): void {
  if (typeof value === "number") into.u8(MARKER.number).f64(value);
  else if (typeof value === "boolean") into.u8(MARKER.boolean).u8(value ? 1 : 0);
  else if (typeof value === "string") writeString(into, value);
  else if (value === null) into.u8(MARKER.null);
  else if (value === undefined) into.u8(MARKER.undefined);
  else if (!("kind" in value)) {
    into.u8(MARKER.strictArray).u32(value.length);
    for (const item of value) writeAmf0(into, item);
  } else if (value.kind === "date") into.u8(MARKER.date).f64(value.unixMillis).u16(0);
  else writeObject(into, value);
}

function writeString(into: Writer, text: string): void {
  const bytes = encoder.encode(text);
  if (bytes.length > 0xffff) into.u8(MARKER.longString).u32(bytes.length).put(bytes);
  else into.u8(MARKER.string).u16(bytes.length).put(bytes);
}

function writeObject(into: Writer, value: Amf0Object): void {
  if (value.kind === "array") into.u8(MARKER.ecmaArray).u32(value.fields.size);
  else if (value.className === undefined) into.u8(MARKER.object);
  else {
    into.u8(MARKER.typedObject);
    writeKey(into, value.className);
  }
  for (const [key, field] of value.fields) {
    writeKey(into, key);
    writeAmf0(into, field);
  }
  into.u16(0).u8(MARKER.objectEnd);
}

function writeKey(into: Writer, key: string): void {
  const bytes = encoder.encode(key);
  into.u16(bytes.length).put(bytes);
}

const MARKER = {
  number: 0,
  boolean: 1,
  string: 2,
  object: 3,
  null: 5,
  undefined: 6,
  reference: 7,
  ecmaArray: 8,
  objectEnd: 9,
  strictArray: 10,
  date: 11,
  longString: 12,
  unsupported: 13,
  xml: 15,
  typedObject: 16,
} as const;

/** Values of one message, nested ones included; onMetaData has about thirty. */
const VALUES_MAX = 4096;
const DEPTH_MAX = 16;

const decoder = new TextDecoder();
const encoder = new TextEncoder();
