/** AAC frames out of ADTS: what a packet leaves over is the beginning of the next one's first frame (ISO/IEC 13818-1 section 2.4.3.7 allows that). */
import { Adts } from "../aac/adts.ts";
import { parseAudioSpecificConfig } from "../aac/audio-specific-config.ts";
import type { AudioTrack } from "../unit.ts";

const HEADER_BYTES = 7;

export class SoundReader {
  readonly #adts = new Adts();
  #left: Uint8Array = new Uint8Array(0);
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #configuration = -1;
  #lost = false;
  track: AudioTrack | undefined;
  /** `track` is not what it was before the last `next`. */
  changed = false;
  /** Frame that `next` found; owned by whoever takes it. */
  frame: Uint8Array = new Uint8Array(0);
  readonly stats = { damaged: 0 };

  /** A packet's payload, copied. `gap`: something before it is missing. Answers whether its first frame began in the packet before. */
  add(bytes: Uint8Array, gap: boolean): boolean {
    const left = gap ? 0 : this.#left.length;
    const joined = new Uint8Array(left + bytes.length);
    if (left > 0) joined.set(this.#left);
    joined.set(bytes, left);
    this.#bytes = joined;
    this.#at = 0;
    return left > 0;
  }

  /** False: no whole frame is left. */
  next(): boolean {
    const bytes = this.#bytes;
    this.changed = false;
    while (this.#at + HEADER_BYTES <= bytes.length) {
      if (!this.#adts.read(bytes, this.#at)) {
        // Between frames there is nothing: look for the next header.
        if (!this.#lost) this.stats.damaged++;
        this.#lost = true;
        this.#at++;
        continue;
      }
      this.#lost = false;
      const { headerBytes, frameBytes, configuration } = this.#adts;
      if (this.#at + frameBytes > bytes.length) break;
      const start = this.#at;
      this.#at += frameBytes;
      if (configuration !== this.#configuration && !this.#configure(configuration)) continue;
      this.frame = bytes.subarray(start + headerBytes, this.#at);
      return true;
    }
    this.#left = bytes.subarray(this.#at);
    return false;
  }

  #configure(configuration: number): boolean {
    const record = Uint8Array.of(configuration >> 8, configuration);
    const found = parseAudioSpecificConfig(record);
    if (found === undefined) {
      this.stats.damaged++;
      return false;
    }
    this.#configuration = configuration;
    const { codec, sampleRate, channels, samplesPerFrame } = found;
    this.track = { kind: "audio", codec, sampleRate, channels, samplesPerUnit: samplesPerFrame, configuration: record };
    this.changed = true;
    return true;
  }
}
