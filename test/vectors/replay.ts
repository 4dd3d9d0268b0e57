/**
 * Plays a recorded session to our own cores, each end of it receiving what its peer sent, in the order of the recording:
 *
 *   datagram → cipher → FEC → KCP → snappy → smux → QPP → payload of each stream
 *
 * Nothing is sent. But what the recorded ends did is done by the sessions that stand for them (open, push), since window updates
 * are checked against it: the client sends what its peer receives, the server echoes it.
 */
import { Batch } from "../../src/base/batch.ts";
import { createCipher, type PacketCipher } from "../../src/cipher/cipher.ts";
import { FecDecoder } from "../../src/fec/decoder.ts";
import { primitives } from "../../src/host/crypto.ts";
import { Kcp } from "../../src/kcp/kcp.ts";
import { Qpp, QppPads } from "../../src/qpp/qpp.ts";
import { DATA, FINISHED, OPENED, SmuxSession } from "../../src/smux/session.ts";
import { type Sniffed, sniff } from "../../src/smux/sniff.ts";
import { SnappyDecoder } from "../../src/snappy/decoder.ts";
import { type Datagram, type Direction, datagramsOf, type Recording, type Settings, settingsOf } from "./recording.ts";

const FEC_HEAD_BYTES = 8;

/** The receiving end of one direction. */
export class Receiver {
  readonly direction: Direction;
  readonly smux: SmuxSession;
  readonly fec: FecDecoder;
  readonly snappy: SnappyDecoder | undefined;
  readonly cipher: PacketCipher;
  kcp: Kcp | undefined;
  /** What the first byte of the stream told. */
  sniffed: Sniffed | undefined;
  /** Payload of each stream, by sid. */
  readonly payload = new Map<number, Uint8Array[]>();
  readonly finished: number[] = [];
  readonly #pads: QppPads | undefined;
  readonly #qpp = new Map<number, Qpp>();
  /** FEC packets in the order sent, decrypted, also those that were dropped. */
  readonly fecPackets: Uint8Array[] = [];
  /** Stream of snappy chunks as received, and the pieces they were made of. */
  readonly chunks: Uint8Array[] = [];
  readonly frames: Uint8Array[] = [];
  readonly #batch = new Batch(1);
  readonly #repaired = new Uint8Array(2048);
  readonly #repairedView = new DataView(this.#repaired.buffer);
  readonly #read = new Uint8Array(65_536);
  readonly #did: (receiver: Receiver, n: number) => void;

  /** `did` is told of each event of smux, with the bytes of a DATA event. */
  constructor(direction: Direction, recording: Recording, settings: Settings, did: (receiver: Receiver, n: number) => void) {
    const { cipher, compressed, dataShards, parityShards, qppCount, smuxVersion } = settings;
    this.direction = direction;
    this.#did = did;
    this.smux = new SmuxSession(direction === "c2s" ? { role: "server", version: "any" } : { role: "client", version: smuxVersion });
    this.fec = new FecDecoder({ packetBytesMax: 1500, dataShards, parityShards });
    this.snappy = compressed ? new SnappyDecoder() : undefined;
    this.#pads = qppCount > 0 ? new QppPads(Buffer.from(recording.key), qppCount, primitives) : undefined;
    this.cipher = createCipher(cipher!, primitives.deriveKey(recording.key), primitives);
  }

  receive(now: number, { h, dropped }: Datagram): void {
    const batch = this.#batch;
    batch.length = 1;
    batch.start[0] = 0;
    const datagram = Buffer.from(h, "hex");
    batch.bytes.set(datagram);
    batch.end[0] = datagram.length;
    this.cipher.open(batch);
    const [start, end] = [batch.start[0]!, batch.end[0]!];
    const fec = FecDecoder.isFec(batch.view, start, end);
    if (fec) this.fecPackets.push(batch.bytes.slice(start, end));
    if (dropped === true) return;
    if (!fec) this.#receiveKcp(now, batch.bytes, batch.view, start, end, true);
    else if (this.fec.receive(now, batch.bytes, batch.view, start, end) === 1)
      this.#receiveKcp(now, batch.bytes, batch.view, start + FEC_HEAD_BYTES, end, true);
    for (let n = this.#recovered(); n > 0; n = this.#recovered()) this.#receiveKcp(now, this.#repaired, this.#repairedView, 0, n, false);
  }

  #recovered(): number {
    return this.fec.recovered(this.#repaired, this.#repairedView, 0);
  }

  #receiveKcp(now: number, bytes: Uint8Array, view: DataView, start: number, end: number, regular: boolean): void {
    this.kcp ??= new Kcp({
      conv: view.getUint32(start, true),
      mtu: 1400,
      sndWnd: 128,
      rcvWnd: 1024,
      nodelay: 0,
      interval: 30,
      resend: 2,
      nc: 1,
      profile: "2026",
    });
    this.kcp.receive(now, bytes, view, start, end, regular);
    for (let n = this.kcp.read(now, this.#read, 0, this.#read.length); n > 0; n = this.kcp.read(now, this.#read, 0, this.#read.length))
      this.#receiveStream(now, this.#read, n);
  }

  #receiveStream(now: number, bytes: Uint8Array, n: number): void {
    this.sniffed ??= sniff(bytes, 0, n);
    const { snappy } = this;
    if (snappy === undefined) {
      this.#receiveFrames(now, bytes, 0, n);
      return;
    }
    this.chunks.push(bytes.slice(0, n));
    for (let at = 0; at < n; ) {
      at += snappy.receive(bytes, at, n);
      if (snappy.end === snappy.start) continue;
      this.frames.push(snappy.bytes.slice(snappy.start, snappy.end));
      this.#receiveFrames(now, snappy.bytes, snappy.start, snappy.end);
    }
  }

  #receiveFrames(now: number, bytes: Uint8Array, start: number, end: number): void {
    const { smux } = this;
    for (let at = start; at < end; ) {
      at += smux.receive(now, bytes, at, end);
      const sid = smux.eventSid;
      const n = smux.event === DATA ? smux.dataEnd - smux.dataStart : 0;
      if (smux.event === OPENED) this.payload.set(sid, []);
      if (smux.event === FINISHED) this.finished.push(sid);
      if (smux.event === DATA) {
        const data = bytes.slice(smux.dataStart, smux.dataEnd);
        if (this.#pads !== undefined) {
          if (!this.#qpp.has(sid)) this.#qpp.set(sid, new Qpp(this.#pads));
          this.#qpp.get(sid)!.decrypt(data, 0, data.length);
        }
        this.payload.get(sid)!.push(data);
        smux.consumed(now, sid, n);
      }
      if (smux.event !== 0) this.#did(this, n);
    }
  }
}

export interface Replay {
  readonly settings: Settings;
  readonly server: Receiver;
  readonly client: Receiver;
}

export function replay(recording: Recording): Replay {
  const settings = settingsOf(recording);
  const scratch = new Uint8Array(70_000);
  const view = new DataView(scratch.buffer);
  const push = (smux: SmuxSession, sid: number, n: number): void => {
    smux.transmit(0, scratch, view, 0, scratch.length);
    for (let left = n; left > 0; ) {
      const part = Math.min(left, smux.allowance(sid));
      smux.push(sid, view, 0, part);
      left -= part;
    }
  };
  const client = new Receiver("s2c", recording, settings, () => {});
  const server = new Receiver("c2s", recording, settings, ({ smux }, n) => {
    if (smux.event === OPENED) client.payload.set(client.smux.open(0), []);
    if (smux.event === DATA) {
      push(client.smux, smux.eventSid, n);
      push(smux, smux.eventSid, n);
    }
  });
  datagramsOf(recording).forEach((datagram, i) => {
    (datagram.d === "c2s" ? server : client).receive(i, datagram);
  });
  return { settings, server, client };
}
