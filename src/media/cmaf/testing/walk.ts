/** Reads boxes back, for tests: an own reader, so that a mistake in the writer cannot hide in it. */
import assert from "node:assert/strict";

export interface Box {
  readonly type: string;
  /** Offset of the box in the file. */
  readonly at: number;
  readonly payload: Uint8Array;
  readonly children: readonly Box[];
}

const containers = new Set(["moov", "trak", "mdia", "minf", "dinf", "stbl", "mvex", "moof", "traf"]);

/** Fails unless sizes add up exactly. */
export function walk(bytes: Uint8Array, base = 0): Box[] {
  const boxes: Box[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at < bytes.length) {
    assert.ok(at + 8 <= bytes.length, "a whole box header");
    const size = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    assert.ok(size >= 8 && at + size <= bytes.length, `${type} of ${size} bytes fits`);
    const payload = bytes.subarray(at + 8, at + size);
    boxes.push({ type, at: base + at, payload, children: containers.has(type) ? walk(payload, base + at + 8) : [] });
    at += size;
  }
  return boxes;
}

/** The boxes at a path such as "moof/traf/trun". */
export function find(boxes: readonly Box[], path: string): Box[] {
  const [type, ...rest] = path.split("/");
  const found = boxes.filter((box) => box.type === type);
  return rest.length === 0 ? found : found.flatMap((box) => find(box.children, rest.join("/")));
}

/** The structure as text: "moof(mfhd traf(tfhd tfdt trun)) mdat". */
export function outline(boxes: readonly Box[]): string {
  return boxes.map(({ type, children }) => (children.length > 0 ? `${type}(${outline(children)})` : type)).join(" ");
}

export function u32(box: Box, offset: number): number {
  return new DataView(box.payload.buffer, box.payload.byteOffset).getUint32(offset);
}
