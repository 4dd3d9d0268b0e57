/**
 * Interfaces as flows name them: a number for each, under which the program finds where frames leave, their source MAC and their tag.
 *
 * A number stays an interface's as long as that exists, over restarts too. When one is given to another interface all flows look again at their ways.
 */
import type { BpfMap } from "../../host/bpf/bpf-map.ts";
import type { Interface } from "../../host/interface.ts";
import { DEVICE } from "./layout.ts";

/** Tagged interfaces besides those of the kernel's own kind, of which it knows itself. */
export interface TaggedInterface {
  readonly ifindex: number;
  /** Of the interface below. */
  readonly lower: number;
  readonly tag: number;
}

export class Devices {
  readonly #view: DataView;
  readonly #interfaces: BpfMap;
  readonly #size: number;

  constructor(devices: BpfMap, interfaces: BpfMap) {
    const { buffer, byteOffset, byteLength } = devices.memory();
    this.#view = new DataView(buffer, byteOffset, byteLength);
    this.#interfaces = interfaces;
    this.#size = devices.shape.entries;
  }

  /** Those that are there now. What the table has no room for is not forwarded to: as if there were no route. */
  set(found: readonly Interface[], tagged: readonly TaggedInterface[]): void {
    const tags = new Map(tagged.map((each) => [each.ifindex, each]));
    const ethernet = found.filter((each) => each.ethernet);
    const present = new Set(ethernet.map(({ ifindex }) => ifindex));
    const places = new Map<number, number>();
    const free: number[] = [];
    for (let place = 0; place < this.#size; place++) {
      const number = this.#view.getUint32(place * DEVICE.bytes + DEVICE.number, true);
      if (present.has(number)) places.set(number, place);
      else free.push(place);
      if (number !== 0 && !present.has(number)) this.#forget(place, number);
    }
    free.reverse();
    for (const { ifindex, mac, vlan } of ethernet) {
      const place = places.get(ifindex) ?? free.pop();
      if (place === undefined) return;
      const tag = tags.get(ifindex) ?? (vlan === undefined ? undefined : { ifindex, ...vlan });
      this.#write(place, ifindex, mac, tag);
    }
  }

  #write(place: number, ifindex: number, mac: Uint8Array, tagged: TaggedInterface | undefined): void {
    const base = place * DEVICE.bytes;
    for (let i = 0; i < 6; i++) this.#view.setUint8(base + DEVICE.mac + i, mac[i] ?? 0);
    this.#view.setUint16(base + DEVICE.vlan, tagged?.tag ?? 0, true);
    this.#view.setUint32(base + DEVICE.ifindex, tagged?.lower ?? ifindex, true);
    this.#view.setUint32(base + DEVICE.number, ifindex, true);
    const [key, value] = [Buffer.alloc(4), Buffer.alloc(4)];
    key.writeUInt32LE(ifindex);
    value.writeUInt32LE(place);
    this.#interfaces.update(key, value);
  }

  #forget(place: number, number: number): void {
    const key = Buffer.alloc(4);
    key.writeUInt32LE(number);
    this.#interfaces.delete(key);
    this.#view.setUint32(place * DEVICE.bytes + DEVICE.number, 0, true);
  }
}
