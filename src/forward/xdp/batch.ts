/** Keys and values of a map gathered for one system call. */
import { Block } from "../../host/block.ts";
import type { BpfMap } from "../../host/bpf/bpf-map.ts";

/** As many as the kernel takes without holding up others for long. */
const BATCH = 16_384;

export class UpdateBatch {
  readonly #map: BpfMap;
  readonly #keys: Block;
  readonly #values: Block;
  readonly #size: number;
  #count = 0;

  /** `expected`: about how many will come. */
  constructor(map: BpfMap, expected: number) {
    this.#map = map;
    this.#size = Math.max(1, Math.min(BATCH, expected));
    this.#keys = new Block(map.bpf.sys, this.#size * map.shape.keyBytes);
    this.#values = new Block(map.bpf.sys, this.#size * map.shape.valueBytes);
  }

  /** Where the next key is to be written before `add`, in `keys`. */
  get at(): number {
    return this.#count * this.#map.shape.keyBytes;
  }

  get keys(): DataView {
    return this.#keys.view;
  }

  /** The value of the key that was written. @throws HostError when it was full and the kernel refuses */
  add(value: number): void {
    this.#values.view.setUint32(this.#count * this.#map.shape.valueBytes, value, true);
    if (++this.#count === this.#size) this.flush();
  }

  flush(): void {
    this.#map.updateBatch(this.#keys, this.#values, this.#count);
    this.#count = 0;
  }
}
