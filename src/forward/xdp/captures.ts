/**
 * Who wants to see packets. The program knows one wish only, so that it is as wide as all of them together, and what is more than one asked for is left out here.
 *
 *   ring ─► record ─┬─ capture: each whose forward it is, by lot where it is seldomer than what the program sends
 *                   └─ sip: who reads what backends of that forward answer; the program sends all of it, whole
 */
import { HostError } from "../../base/errors.ts";
import type { Capture, CaptureOptions, PacketSink } from "../datapath.ts";
import { readCapture } from "./capture-record.ts";
import { ALL_FORWARDS, CAPTURE_EVENT, EVENT, SETTING_FLAG } from "./layout.ts";
import type { Settings } from "./settings.ts";

/** At once; more are refused. */
export const CAPTURES_MAX = 64;

export interface CaptureNames {
  /** By number. */
  readonly names: readonly (string | undefined)[];
  idOf(name: string): number | undefined;
}

interface Wish {
  readonly options: CaptureOptions;
  readonly sink: PacketSink;
}

export class Captures {
  readonly #settings: Pick<Settings, "capture" | "setFlag">;
  readonly #names: CaptureNames;
  /** Packets that the program found no room for, since ever. */
  readonly #lost: () => number;
  /** What is to be added to the kernel's clock, which counts from the start of the machine. */
  readonly #epoch: number;
  readonly #wishes = new Set<Wish>();
  /** By forward: who reads its SIP. */
  readonly #readers = new Map<string, PacketSink>();
  #oneIn = 0;

  constructor(settings: Pick<Settings, "capture" | "setFlag">, names: CaptureNames, lost: () => number, epoch: number) {
    this.#settings = settings;
    this.#names = names;
    this.#lost = lost;
    this.#epoch = epoch;
  }

  /** @throws HostError */
  add(options: CaptureOptions, sink: PacketSink): Capture {
    const { forward } = options;
    if (forward !== undefined && this.#names.idOf(forward) === undefined)
      throw new HostError("ENOENT", "capture", `no forward is called "${forward}"`);
    if (options.sip === true && forward !== undefined) return this.#read(forward, sink);
    if (this.#wishes.size >= CAPTURES_MAX) throw new HostError("EBUSY", "capture", `${CAPTURES_MAX} at once`);
    const wish = { options, sink };
    this.#wishes.add(wish);
    this.widen();
    const lost = this.#lost;
    const before = lost();
    return {
      get dropped() {
        return lost() - before;
      },
      stop: async () => {
        this.#wishes.delete(wish);
        this.widen();
      },
    };
  }

  /** The wish of all, told to the program: again when forwards have changed, whose numbers may be others now. */
  widen(): void {
    const wishes = [...this.#wishes];
    this.#oneIn = wishes.length === 0 ? 0 : Math.max(1, Math.min(...wishes.map(({ options }) => options.oneIn)));
    const forwards = new Set(wishes.map(({ options }) => options.forward));
    const [only] = forwards;
    const id = forwards.size === 1 && only !== undefined ? this.#names.idOf(only) : ALL_FORWARDS;
    this.#settings.setFlag(
      SETTING_FLAG.whole,
      wishes.some(({ options }) => options.bytesMax > CAPTURE_EVENT.headerBytes - LINK_BYTES_MAX),
    );
    // Of a forward that is not there just now there is nothing to see.
    this.#settings.capture(id === undefined ? 0 : this.#oneIn, id);
  }

  /** A record of the ring. */
  take(kind: number, record: DataView): void {
    const captured = readCapture(record);
    const name = captured === undefined ? undefined : this.#names.names[captured.forward];
    if (captured === undefined || name === undefined) return;
    const { packet, length } = captured;
    const seconds = this.#epoch + captured.seconds;
    if (kind === EVENT.sip) {
      this.#readers.get(name)?.(packet, seconds, length);
      return;
    }
    for (const { options, sink } of this.#wishes) {
      if (options.forward !== undefined && options.forward !== name) continue;
      if (options.oneIn > this.#oneIn && Math.random() * options.oneIn >= this.#oneIn) continue;
      sink(packet.subarray(0, options.bytesMax), seconds, length);
    }
  }

  #read(forward: string, sink: PacketSink): Capture {
    this.#readers.set(forward, sink);
    return {
      dropped: 0,
      stop: async () => {
        if (this.#readers.get(forward) === sink) this.#readers.delete(forward);
      },
    };
  }
}

/** With a VLAN tag. */
const LINK_BYTES_MAX = 18;
