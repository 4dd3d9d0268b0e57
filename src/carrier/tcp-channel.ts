/**
 * One connection of a TCP carrier, at either end: hello, then records both ways; a queue of datagrams in front of it that is short in bytes and in time.
 *
 *   connecting ─▶ hello ─▶ open ─▶ closed
 */
import { Batch } from "../base/batch.ts";
import { type Bytes, type Millis, NEVER } from "../base/units.ts";
import type { TcpHandler, TcpSocket } from "../host/loop.ts";
import { DatagramQueue, LENGTH_BYTES } from "./datagram-queue.ts";
import { CLIENT_HELLO_BYTES, SALT_BYTES, SERVER_HELLO_BYTES, type TcpHello } from "./tcp-hello.ts";
import { RecordReader, RecordWriter } from "./tcp-records.ts";

export interface TcpTiming {
  /** Connecting and the hello together. */
  readonly helloMs: Millis;
  /** Who has said nothing for so long says that he is there. */
  readonly keepAliveMs: Millis;
  /** Who has not been heard for so long is gone. */
  readonly silenceMs: Millis;
  /** A datagram that has waited for so long is dropped. */
  readonly waitMs: Millis;
}

/** Tuning. */
export const tcpTiming: TcpTiming = { helloMs: 10_000, keepAliveMs: 3_000, silenceMs: 10_000, waitMs: 500 };
/** Tuning: bytes that may wait in front of one connection. */
export const QUEUE_BYTES: Bytes = 524_288;
/** Tuning: who can wait itself gives no more when what waits takes so long to be written, as it went lately; and goes on when half of it is gone. */
const ENOUGH_MS: Millis = 40;
const ENOUGH_BYTES_LEAST: Bytes = 8_192;
const ENOUGH_BYTES_MOST: Bytes = 262_144;
const RATE_MS: Millis = 100;
/** Tuning: datagrams that a tunnel makes before it asks again. */
export const BATCH_DATAGRAMS = 12;

export interface TcpChannelUser {
  /** Records can be exchanged. A server knows now whose session it is, and that it is not played again. */
  opened(now: Millis, channel: TcpChannel): void;
  /** Datagrams came; borrowed until it returns. */
  arrived(now: Millis, channel: TcpChannel, batch: Batch): void;
  /** Of what waited enough is gone. */
  writable(now: Millis, channel: TcpChannel): void;
  /** The end, told once unless we closed it. */
  closed(now: Millis, channel: TcpChannel, reason: string): void;
}

export interface TcpChannelOptions {
  readonly hello: TcpHello;
  readonly user: TcpChannelUser;
  readonly now: Millis;
  readonly timing?: TcpTiming;
  /** A client's: the session this connection is part of. */
  readonly session?: Uint8Array;
}

export class TcpChannel implements TcpHandler {
  readonly queue: DatagramQueue;
  state: "connecting" | "hello" | "open" | "closed" = "connecting";
  /** Its connection; set by whoever has made it, before anything is told. */
  socket: TcpSocket | undefined;
  /** Whose it is: given to a client, told to a server by the other end. */
  session: Uint8Array | undefined;
  readonly #hello: TcpHello;
  readonly #user: TcpChannelUser;
  readonly #timing: TcpTiming;
  readonly #client: boolean;
  #greeting: Uint8Array = new Uint8Array(0);
  #sent = 0;
  readonly #heard: Uint8Array;
  #heardBytes = 0;
  #writer: RecordWriter | undefined;
  #reader: RecordReader | undefined;
  #batch: Batch | undefined;
  #bornAt: Millis;
  #heardAt: Millis;
  #saidAt: Millis;
  #full = false;
  #enough = ENOUGH_BYTES_LEAST;
  #written = 0;
  #countedAt: Millis = 0;
  /** There was more to read than one round allows. */
  #more = false;
  /** A record of the other end was genuine: it is no hello played again. */
  #proven = false;

  constructor({ hello, user, now, timing = tcpTiming, session }: TcpChannelOptions) {
    this.#hello = hello;
    this.#user = user;
    this.#timing = timing;
    this.#client = session !== undefined;
    this.session = session;
    this.queue = new DatagramQueue(QUEUE_BYTES, timing.waitMs);
    this.#heard = new Uint8Array(this.#client ? SERVER_HELLO_BYTES : CLIENT_HELLO_BYTES);
    this.#bornAt = now;
    this.#heardAt = now;
    this.#saidAt = now;
    if (!this.#client) this.state = "hello";
  }

  /** Whether more should be pushed by somebody who can wait; if not, `writable` follows. */
  get takes(): boolean {
    if (this.state === "open" && this.queue.bytes < this.#enough) return true;
    this.#full = true;
    return false;
  }

  /** A datagram to be sent with the next `flush`; the oldest give way. */
  push(now: Millis, bytes: Uint8Array, start: number, end: number): void {
    this.queue.push(now, bytes, start, end);
  }

  /** Writes as much as the kernel takes. */
  flush(now: Millis): void {
    const writer = this.#writer;
    if (this.state !== "open" || writer === undefined) return;
    for (let records = RECORDS_PER_FLUSH; records > 0; records--) {
      if (writer.start === writer.end) {
        if (this.queue.bytes === 0) break;
        this.#saidAt = now;
        writer.make(now, this.queue, this.#enough);
      }
      const written = this.socket!.write(writer.bytes, writer.start, writer.end);
      writer.start += written;
      this.#count(now, written);
      if (writer.start < writer.end) break;
    }
    if (this.#full && this.queue.bytes <= this.#enough / 2) {
      this.#full = false;
      this.#user.writable(now, this);
    }
  }

  /** Once a round; answers when it wants to be called next. */
  advance(now: Millis): Millis {
    const { helloMs, silenceMs, keepAliveMs } = this.#timing;
    if (this.state === "closed") return NEVER;
    if (this.state !== "open") {
      if (now < this.#bornAt + helloMs) return this.#bornAt + helloMs;
      this.#end(now, this.state === "connecting" ? "no connection" : "no hello");
      return NEVER;
    }
    if (now >= this.#heardAt + silenceMs) {
      this.#end(now, "silent");
      return NEVER;
    }
    if (this.#more) this.#readRecords(now);
    const writer = this.#writer!;
    if (now >= this.#saidAt + keepAliveMs) {
      this.#saidAt = now;
      if (writer.start === writer.end) {
        writer.make(now, this.queue, this.#enough);
        this.flush(now);
      }
    } else if (this.queue.bytes > 0) this.flush(now);
    return this.#more ? now : Math.min(this.#heardAt + silenceMs, this.#saidAt + keepAliveMs);
  }

  close(): void {
    if (this.state === "closed") return;
    this.state = "closed";
    this.queue.clear();
    this.socket?.close();
  }

  connected(_now: Millis): void {
    this.state = "hello";
    this.#greet(this.#hello.client(this.session!));
  }

  readable(now: Millis): void {
    if (this.state === "hello" && !this.#readHello(now)) return;
    if (this.state === "open") this.#readRecords(now);
  }

  writable(now: Millis): void {
    if (this.#sent < this.#greeting.length) this.#sent += this.socket!.write(this.#greeting, this.#sent, this.#greeting.length);
    if (this.#sent === this.#greeting.length) this.flush(now);
  }

  closed(now: Millis, code: string): void {
    this.#end(now, code);
  }

  #greet(greeting: Uint8Array): void {
    this.#greeting = greeting;
    this.#sent = this.socket!.write(greeting, 0, greeting.length);
  }

  /** True when the hello is done. */
  #readHello(now: Millis): boolean {
    const heard = this.#heard;
    while (this.#heardBytes < heard.length) {
      const n = this.socket!.read(heard, this.#heardBytes, heard.length);
      if (n === 0) return false;
      if (n < 0) {
        this.#end(now, "ended in its hello");
        return false;
      }
      this.#heardBytes += n;
    }
    return this.#client ? this.#serverHeard(now) : this.#clientHeard(now);
  }

  #serverHeard(now: Millis): boolean {
    const salt = this.#greeting.subarray(0, SALT_BYTES);
    if (!this.#hello.readServer(this.#heard, salt)) {
      this.#end(now, "the other end has another key, or is none of ours");
      return false;
    }
    this.#begin(now, salt, this.#heard.subarray(0, SALT_BYTES));
    this.#user.opened(now, this);
    // The server opens with our first record.
    if (this.#writer!.start === this.#writer!.end) this.#writer!.make(now, this.queue, this.#enough);
    this.flush(now);
    return true;
  }

  #clientHeard(now: Millis): boolean {
    this.session = this.#hello.readClient(this.#heard);
    // A stranger is told nothing; what else it says is not read, and it is closed when its time is up.
    if (this.session === undefined) return false;
    const salt = this.#heard.subarray(0, SALT_BYTES);
    const greeting = this.#hello.server(salt);
    this.#greet(greeting);
    this.#begin(now, salt, greeting.subarray(0, SALT_BYTES));
    return true;
  }

  #begin(now: Millis, clientSalt: Uint8Array, serverSalt: Uint8Array): void {
    const [mine, theirs] = this.#client ? (["client", "server"] as const) : (["server", "client"] as const);
    this.#writer = new RecordWriter(this.#hello.records(mine, clientSalt, serverSalt));
    this.#reader = new RecordReader(this.#hello.records(theirs, clientSalt, serverSalt));
    this.#batch = new Batch(DATAGRAMS_MAX, this.#reader.bytes);
    this.#heardAt = now;
    this.#saidAt = now;
    this.state = "open";
  }

  #readRecords(now: Millis): void {
    const reader = this.#reader!;
    this.#more = false;
    for (let reads = READS_PER_ROUND; reads > 0 && this.state === "open"; reads--) {
      reader.room();
      const n = this.socket!.read(reader.bytes, reader.end, reader.bytes.length);
      if (n === 0) return;
      if (n < 0) {
        this.#end(now, "ended by the other end");
        return;
      }
      reader.end += n;
      for (let found = reader.next(); found !== 0 && this.state === "open"; found = reader.next()) {
        if (found < 0) {
          this.#end(now, "a forged record");
          return;
        }
        this.#heardAt = now;
        if (!this.#proven) {
          this.#proven = true;
          if (!this.#client) this.#user.opened(now, this);
        }
        this.#hand(now, reader);
      }
    }
    this.#more = this.state === "open";
  }

  #hand(now: Millis, { bytes, textStart, textEnd }: RecordReader): void {
    const batch = this.#batch!;
    for (let at = textStart; at + LENGTH_BYTES <= textEnd && this.state === "open"; ) {
      const start = at + LENGTH_BYTES;
      const end = start + ((bytes[at]! << 8) | bytes[at + 1]!);
      if (end > textEnd) break;
      batch.add(start, end);
      at = end;
      if (batch.full) this.#give(now, batch);
    }
    this.#give(now, batch);
  }

  #count(now: Millis, written: Bytes): void {
    this.#written += written;
    const elapsed = now - this.#countedAt;
    if (elapsed < RATE_MS) return;
    const enough = (this.#written / elapsed) * ENOUGH_MS;
    this.#enough = Math.min(Math.max(enough, ENOUGH_BYTES_LEAST), ENOUGH_BYTES_MOST);
    this.#written = 0;
    this.#countedAt = now;
  }

  #give(now: Millis, batch: Batch): void {
    if (batch.length > 0 && this.state === "open") this.#user.arrived(now, this, batch);
    batch.length = 0;
  }

  #end(now: Millis, reason: string): void {
    if (this.state === "closed") return;
    this.state = "closed";
    this.queue.clear();
    this.socket?.reset();
    this.#user.closed(now, this, reason);
  }
}

/** Tuning. */
const RECORDS_PER_FLUSH = 32;
const READS_PER_ROUND = 16;
const DATAGRAMS_MAX = 512;
