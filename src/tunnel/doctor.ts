/**
 * Measures the way to a server of ours, in about 12 s, without a tunnel: what is said are extension datagrams only (extension/survey-message.ts).
 *
 *   hello ─▶ questions: round trip, jitter ─▶ trains: what the way carries ─▶ a light load both ways: its own loss ─▶ a heavy one each way: policed, queues
 *         ─▶ sizes: the longest datagram ─▶ pauses, when asked: how long a NAT remembers
 *
 * It runs on any loop, so in virtual time too.
 */
import { Batch } from "../base/batch.ts";
import { type Bytes, type Millis, NEVER } from "../base/units.ts";
import type { PacketCipher } from "../cipher/cipher.ts";
import { isExtension, readType } from "../extension/header.ts";
import { ANSWER, FEATURE_SURVEYS } from "../extension/hello.ts";
import { LoadSeries } from "../extension/load-series.ts";
import { Negotiation } from "../extension/negotiation.ts";
import { LOAD, readLoad, readTally, TALLY, writeAsk } from "../extension/survey-message.ts";
import { type Counted, Tally } from "../extension/tally.ts";
import type { Departure } from "../host/departure.ts";
import type { Driver, Loop, UdpSocket } from "../host/loop.ts";
import { readConv } from "../kcp/segment.ts";
import type { Findings, Heavy, Light } from "./findings.ts";

/** Tuning. */
const HELLO_MS: Millis = 5000;
const QUESTIONS = 40;
const QUESTION_GAP_MS: Millis = 40;
/** Round trips are no longer than this, or count as lost. */
const LAST_ANSWER_MS: Millis = 800;
const TRAINS = 3;
const CARS = 40;
const LIGHT_PACKETS = 280;
const LIGHT_BYTES: Bytes = 1000;
const LIGHT_MS: Millis = 2800;
const HEAVY_MS: Millis = 1500;
const HEAVY_SHARE = 0.6;
const HEAVY_MBPS_LEAST = 2;
/** UDP payloads that are tried, of a path of 1500 bytes at most. */
const SIZES: readonly Bytes[] = [1472, 1432, 1400, 1350, 1300, 1252, 1200, 576];
const TRIES = 3;
/** Answers may take so much longer than the round trip. */
const GRACE_MS: Millis = 200;
const HEADROOM = 64;
const BATCH = 64;

export interface DoctorOptions {
  readonly conv: number;
  readonly cipher: PacketCipher;
  /** Literal address. */
  readonly to: { readonly host: string; readonly port: number };
  /** Where to leave from; by default as the route says. */
  readonly departure?: Departure;
  /** Most of the heavy load, in Mbit/s. */
  readonly mbpsMax: number;
  /** Longest pause that is tried, 0: none. */
  readonly natSeconds: number;
  readonly progress: (step: string) => void;
  readonly done: (findings: Findings) => void;
}

export class Doctor implements Driver {
  readonly #options: DoctorOptions;
  readonly #loop: Loop;
  readonly #socket: UdpSocket;
  readonly #peer: number;
  readonly #batch = new Batch(BATCH);
  readonly #negotiation: Negotiation;
  readonly #steps: Generator<Millis, Findings, Millis>;
  #wakeAt: Millis = 0;
  #over = false;
  #series = 0;
  #n = 0;
  readonly #askedAt = new Map<number, Millis>();
  readonly #rtts: Millis[] = [];
  #answers = 0;
  #told: (Counted & { series: number }) | undefined;
  /** What came of a series that was asked for. */
  #back = new Tally();
  #backSeries = -1;
  #outgoing: LoadSeries | undefined;
  #unreadable = 0;

  /** Begins at once. @throws HostError */
  constructor(loop: Loop, options: DoctorOptions) {
    this.#loop = loop;
    this.#options = options;
    const { host, port } = options.to;
    const any = host.includes(":") ? "::" : "0.0.0.0";
    this.#socket = loop.udp(
      { host: any, port: 0, segmentation: false, peersMax: 4, ...options.departure },
      { receive: (now, batch) => this.#receive(now, batch), writable: () => {} },
    );
    this.#peer = this.#socket.addresses.intern(host, port);
    this.#socket.addresses.hold(this.#peer);
    this.#negotiation = new Negotiation("client", options.conv, FEATURE_SURVEYS);
    this.#steps = this.#examine();
    loop.drive(this);
  }

  advance(now: Millis): Millis {
    if (this.#over) return NEVER;
    this.#negotiation.advance(now);
    this.#sendHello();
    this.#sendLoad(now);
    if (now >= this.#wakeAt) {
      const next = this.#steps.next(now);
      if (next.done === true) {
        this.#over = true;
        this.#socket.close();
        this.#options.done(next.value);
        return NEVER;
      }
      this.#wakeAt = next.value;
    }
    return Math.min(this.#wakeAt, this.#negotiation.deadline(), this.#outgoing?.deadline() ?? NEVER);
  }

  *#examine(): Generator<Millis, Findings, Millis> {
    const { progress, natSeconds } = this.#options;
    let now = yield 0;
    progress("asking who is there");
    for (const until = now + HELLO_MS; now < until && this.#negotiation.standing === "unknown"; ) now = yield now + 20;
    if (!this.#negotiation.peerHas(FEATURE_SURVEYS)) return { answer: this.#stranger() };
    progress("round trip and jitter");
    for (let i = 0; i < QUESTIONS; i++) {
      this.#ask(now, 0, 0, 0, 0);
      now = yield now + QUESTION_GAP_MS;
    }
    now = yield now + LAST_ANSWER_MS;
    const rtts = this.#rtts.toSorted((a, b) => a - b);
    if (rtts.length === 0) return { answer: "lost" };
    const at = (q: number): Millis => rtts[Math.min(rtts.length - 1, Math.floor(q * rtts.length))]!;
    const rtt = { least: at(0), median: at(0.5), p95: at(0.95) };
    const asked = { questions: QUESTIONS, answers: this.#answers };
    const patience = Math.min(rtt.p95, 2 * rtt.median) + GRACE_MS;
    progress("what the way carries");
    const rates = { up: [] as number[], down: [] as number[] };
    for (let i = 0; i < TRAINS; i++) {
      const { up, down } = yield* this.#measure(now, CARS, 1300, 0, patience, true, true);
      rates.up.push(rateOf(up, 1300));
      rates.down.push(rateOf(down, 1300));
      now = this.#loop.now();
    }
    const middle = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[(values.length - 1) >> 1]!;
    const train = { up: middle(rates.up), down: middle(rates.down) };
    progress("loss under a light load");
    const light = yield* this.#measure(now, LIGHT_PACKETS, LIGHT_BYTES, LIGHT_MS, patience, true, true);
    now = this.#loop.now();
    const heavy: { up?: Heavy; down?: Heavy } = {};
    for (const way of ["up", "down"] as const) {
      progress(`a heavy load ${way === "up" ? "there" : "back"}`);
      const mbps = Math.min(Math.max(HEAVY_SHARE * train[way], HEAVY_MBPS_LEAST), this.#options.mbpsMax);
      const packets = Math.min(60_000, Math.ceil((mbps * 1000 * HEAVY_MS) / 8 / 1200));
      const counted = (yield* this.#measure(now, packets, 1200, HEAVY_MS, patience, way === "up", way === "down"))[way];
      heavy[way] = heavyOf(counted, packets, mbps);
      now = this.#loop.now();
    }
    progress("the longest datagram");
    let datagramBytes = 0;
    for (const size of SIZES) {
      const { up } = yield* this.#measure(now, TRIES, size - this.#cipherBytes, 30, patience, true, false);
      now = this.#loop.now();
      if ((up?.received ?? 0) === 0) continue;
      datagramBytes = size;
      break;
    }
    let remembered = 0;
    let forgot = false;
    for (let pause = Math.min(15, natSeconds); pause > 0 && pause <= natSeconds && !forgot; pause *= 2) {
      progress(`a pause of ${pause} s`);
      this.#want(++this.#series);
      this.#ask(now, this.#series, 100, TRIES, 60, pause);
      now = yield now + pause * 1000 + patience;
      forgot = this.#back.counted.received === 0;
      if (!forgot) remembered = pause;
    }
    const lightOf = (counted: Counted | undefined): Light => ({
      loss: counted === undefined ? 1 : 1 - Math.min(1, counted.received / LIGHT_PACKETS),
      run: counted === undefined || counted.runs === 0 ? 1 : Math.max(1, (counted.highest - counted.received) / counted.runs),
      late: counted === undefined || counted.received === 0 ? 0 : counted.late / counted.received,
      jitterMs: (counted?.jitterMicros ?? 0) / 1000,
    });
    return {
      answer: "ours",
      rtt,
      ...asked,
      up: { trainMbps: train.up, light: lightOf(light.up), heavy: heavy.up! },
      down: { trainMbps: train.down, light: lightOf(light.down), heavy: heavy.down! },
      datagramBytes,
      ...(natSeconds > 0 && { nat: { rememberedSeconds: remembered, forgot } }),
    };
  }

  /** Sends a series there, wants the same back, or both at once; answers what came of it at the other end, and here. */
  *#measure(
    now: Millis,
    packets: number,
    size: Bytes,
    overMs: Millis,
    patience: Millis,
    up: boolean,
    down: boolean,
  ): Generator<Millis, { up: Counted | undefined; down: Counted | undefined }, Millis> {
    const series = ++this.#series;
    this.#want(series);
    if (up) this.#outgoing = new LoadSeries({ series: series & 255, size, packets, overMs, from: now });
    if (up) this.#sendLoad(now);
    if (down) this.#ask(now, series, size, packets, overMs);
    let later = yield now + overMs + patience;
    this.#told = undefined;
    for (let i = 0; i < 5 && up && this.#told === undefined; i++) {
      this.#ask(later, series, 0, 0, 0);
      for (const until = later + patience; later < until && this.#told === undefined; ) later = yield later + 10;
    }
    const told = this.#told as (Counted & { series: number }) | undefined;
    return { up: told?.series === series ? told : undefined, down: down ? this.#back.counted : undefined };
  }

  #want(series: number): void {
    this.#backSeries = series & 255;
    this.#back = new Tally();
  }

  #stranger(): "nobody" | "unreadable" | "other" {
    if (this.#unreadable > 0) return "unreadable";
    return this.#negotiation.peerSpeaks || this.#negotiation.standing !== "unknown" ? "other" : "nobody";
  }

  #ask(now: Millis, series: number, size: Bytes, packets: number, overMs: Millis, afterSeconds = 0): void {
    const n = ++this.#n;
    this.#askedAt.set(n, now);
    const ask = { n, series: series & 255, size: Math.max(0, size), packets, overMs, afterSeconds };
    this.#send((at) => writeAsk(this.#batch.bytes, this.#batch.view, at, this.#options.conv, ask));
    this.#flush();
  }

  #sendHello(): void {
    this.#send((at) => this.#negotiation.transmit(this.#batch.bytes, this.#batch.view, at));
    this.#flush();
  }

  #sendLoad(now: Millis): void {
    const outgoing = this.#outgoing;
    if (outgoing === undefined) return;
    const { bytes, view } = this.#batch;
    for (const due = outgoing.due(now); outgoing.sent < due; ) {
      if (this.#batch.full) this.#flush();
      this.#send((at) => outgoing.write(now, bytes, view, at, this.#options.conv));
    }
    this.#flush();
    if (outgoing.isOver) this.#outgoing = undefined;
  }

  /** Lays what `write` writes into the batch. */
  #send(write: (at: number) => Bytes): void {
    const batch = this.#batch;
    const at = batch.slot(batch.length) + HEADROOM;
    const length = write(at);
    if (length > 0) batch.add(at, at + length, this.#peer);
  }

  #flush(): void {
    const batch = this.#batch;
    if (batch.length === 0) return;
    this.#options.cipher.seal(batch, 0);
    // What the socket does not take is lost, as on the way: it is told beside loss of the way only where it matters.
    this.#socket.send(batch, 0);
    batch.length = 0;
  }

  get #cipherBytes(): Bytes {
    return this.#options.cipher.headBytes + this.#options.cipher.tailBytes;
  }

  #receive(now: Millis, batch: Batch): void {
    this.#options.cipher.open(batch);
    const { conv } = this.#options;
    for (let i = 0; i < batch.length; i++) {
      const [start, end] = [batch.start[i]!, batch.end[i]!];
      if (batch.peer[i] !== this.#peer) continue;
      if (end <= start || !isExtension(batch.view, start, end) || readConv(batch.view, start) !== conv) {
        this.#unreadable++;
        continue;
      }
      const type = readType(batch.view, start);
      if (type === ANSWER) this.#negotiation.receive(type, batch.bytes, batch.view, start, end);
      else if (type === TALLY) this.#tallied(now, batch.view, start, end);
      else if (type === LOAD) this.#loaded(now, batch.view, start, end);
    }
    this.#loop.wake();
  }

  #tallied(now: Millis, view: DataView, start: number, end: number): void {
    const told = readTally(view, start, end);
    const askedAt = told === undefined ? undefined : this.#askedAt.get(told.n);
    if (told === undefined || askedAt === undefined) return;
    this.#askedAt.delete(told.n);
    this.#answers++;
    if (this.#series === 0) this.#rtts.push(now - askedAt);
    if (told.series === (this.#series & 255)) this.#told = told;
  }

  #loaded(now: Millis, view: DataView, start: number, end: number): void {
    const load = readLoad(view, start, end);
    if (load !== undefined && load.series === this.#backSeries) this.#back.receive(now, load);
  }
}

/** Mbit/s that a train of packets of `size` came at, IP and UDP counted; 0 when it tells nothing. */
function rateOf(counted: Counted | undefined, size: Bytes): number {
  if (counted === undefined || counted.received < 8 || counted.spanMicros < 300) return 0;
  return ((counted.received - 1) * (size + 28) * 8) / counted.spanMicros;
}

function heavyOf(counted: Counted | undefined, packets: number, offeredMbps: number): Heavy {
  if (counted === undefined) return { offeredMbps, deliveredMbps: 0, loss: 1, queueMs: 0 };
  return {
    offeredMbps,
    deliveredMbps: counted.spanMicros > 0 ? (counted.received * 1228 * 8) / Math.max(counted.spanMicros, HEAVY_MS * 900) : 0,
    loss: 1 - Math.min(1, counted.received / packets),
    queueMs: counted.queueMicros / 1000,
  };
}
