/**
 * Payloads of one outgoing stream: those that wait in the pacer and, behind them, those that were sent and may be asked for again.
 *
 *   ring of slots, in order of arrival:
 *        oldest sent                      sent ▼         waiting ▼        ▼ next to be written
 *   ─────┬────┬────┬────┬────┬────┬────┬────┬────┬────┬────┬────┬────┬─────
 *        │  s │  s │  – │  s │  s │  s │  s │  w │  w │  w │  w │    │          – was dropped: a key frame came
 *   ─────┴────┴────┴────┴────┴────┴────┴────┴────┴────┴────┴────┴────┴─────
 *
 * A packet gets its sequence number when it leaves, so what is dropped leaves no gap. Nothing is allocated for a packet.
 *
 * Source: libwebrtc 2026-08-22 modules/rtp_rtcp/rtp_packet_history.
 */
import { assert } from "../base/assert.ts";
import type { Bytes, Micros } from "../base/units.ts";

const FREE = 0;
const WAITING = 1;
const SENT = 2;
const NEVER_SENT: Micros = Number.NEGATIVE_INFINITY;

export class PacketStore {
  readonly packetsMax: number;
  readonly payloadMax: Bytes;
  /** Payload of slot s is bytes[s · payloadMax … + length[s]). */
  readonly bytes: Uint8Array;
  readonly length: Uint16Array;
  readonly timestamp: Uint32Array;
  /** 1 = ends a picture. */
  readonly marker: Uint8Array;
  readonly sequence: Uint16Array;
  /** When it was last sent. */
  readonly sentAt: Float64Array;
  /** 1 = a retransmission waits. */
  readonly resending: Uint8Array;
  readonly #state: Uint8Array;
  readonly #slotOf: Int32Array;
  #next = 0;

  /** `packetsMax`: a power of two up to 32768; packets waiting and sent, together. */
  constructor(packetsMax: number, payloadMax: Bytes) {
    assert(
      packetsMax > 0 && packetsMax <= 32_768 && (packetsMax & (packetsMax - 1)) === 0,
      `packetsMax ${packetsMax}: a power of two up to 32768`,
    );
    this.packetsMax = packetsMax;
    this.payloadMax = payloadMax;
    this.bytes = new Uint8Array(packetsMax * payloadMax);
    this.length = new Uint16Array(packetsMax);
    this.timestamp = new Uint32Array(packetsMax);
    this.marker = new Uint8Array(packetsMax);
    this.sequence = new Uint16Array(packetsMax);
    this.sentAt = new Float64Array(packetsMax).fill(NEVER_SENT);
    this.resending = new Uint8Array(packetsMax);
    this.#state = new Uint8Array(packetsMax);
    this.#slotOf = new Int32Array(packetsMax).fill(-1);
  }

  /** Copies payload[start…end) into the next slot and answers it; −1 when all slots wait, or this one is being sent again. */
  put(payload: Uint8Array, start: number, end: number, timestamp: number, marker: boolean): number {
    const slot = this.#next;
    if (this.#state[slot] === WAITING || this.resending[slot] === 1) return -1;
    assert(end - start <= this.payloadMax, `a payload of ${end - start} bytes`);
    this.#next = (slot + 1) & (this.packetsMax - 1);
    const at = slot * this.payloadMax;
    for (let i = start, to = at; i < end; ) this.bytes[to++] = payload[i++]!;
    this.length[slot] = end - start;
    this.timestamp[slot] = timestamp;
    this.marker[slot] = marker ? 1 : 0;
    this.#state[slot] = WAITING;
    return slot;
  }

  /** The packet in the slot leaves for the first time, under this number. */
  sent(now: Micros, slot: number, sequence: number): void {
    this.#state[slot] = SENT;
    this.sequence[slot] = sequence;
    this.sentAt[slot] = now;
    this.#slotOf[sequence & (this.packetsMax - 1)] = slot;
  }

  /** The packet in the slot was dropped before it left. */
  drop(slot: number): void {
    this.#state[slot] = FREE;
  }

  /** Slot of the packet that was sent under this number, −1 when it is not held any more. */
  find(sequence: number): number {
    const slot = this.#slotOf[sequence & (this.packetsMax - 1)]!;
    return slot >= 0 && this.#state[slot] === SENT && this.sequence[slot] === (sequence & 0xffff) ? slot : -1;
  }
}
