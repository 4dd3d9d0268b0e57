/**
 * The encoder's side of one RTMP connection: publishes one stream, as drawn in server.ts.
 *
 *   wait for "accepted" · send tags with their timestamps · close
 *
 * Source: Adobe RTMP 1.0 section 7.2; the order of commands is that of Flash Media Live Encoder, which every server knows.
 */
import { Ring } from "../../base/ring.ts";
import { type Bytes, type Millis, NEVER } from "../../base/units.ts";
import { AUDIO, SCRIPT, VIDEO } from "../flv/tag.ts";
import { type Amf0, amf0Object, stringField } from "./amf0.ts";
import { type Command, commandPayload, parseCommand, statusCode } from "./command.ts";
import { Connection } from "./connection.ts";
import type { PublisherEvent } from "./event.ts";
import { defaultLimits, type RtmpLimits, type RtmpStats } from "./limits.ts";
import { chunkStream, type Message, messageType } from "./message.ts";
import { setDataFrame } from "./metadata.ts";

export interface RtmpPublisherOptions {
  /** 1528 bytes of noise for the handshake, kept. */
  readonly random: Uint8Array;
  /** First part of the path of rtmp://host/app/key. */
  readonly app: string;
  /** Last part of the path: the stream key. */
  readonly key: string;
  /** "rtmp://host:port/app", as servers with several names want it. */
  readonly tcUrl: string;
  /** Largest chunk we send; default 4096. */
  readonly chunkBytes?: Bytes;
  /** `outboxBytesMax` bounds the media that wait (default here 2 MiB), `setupMillis` the time until the server's word. */
  readonly limits?: Partial<RtmpLimits>;
}

type State = "connecting" | "creating" | "asking" | "publishing" | "ended";

export class RtmpPublisher {
  /** Tags not taken because the outbox was full. */
  droppedTags = 0;
  readonly #connection: Connection;
  readonly #options: RtmpPublisherOptions;
  readonly #limits: RtmpLimits;
  readonly #events = new Ring<PublisherEvent>(EVENTS_MAX);
  #state: State = "connecting";
  #asked = false;
  #streamId = 0;
  #began: Millis = NEVER;

  constructor(options: RtmpPublisherOptions) {
    this.#options = options;
    this.#limits = { ...defaultLimits, outboxBytesMax: 2 * 1024 * 1024, ...options.limits };
    this.#connection = new Connection("client", options.random, this.#limits);
  }

  get state(): State {
    return this.#state;
  }
  get stats(): Readonly<RtmpStats> {
    return this.#connection.stats;
  }
  /** Bytes that wait for `transmit`: a measure of how far the network is behind. */
  get queuedBytes(): Bytes {
    return this.#connection.queuedBytes;
  }

  /** Bytes of the server, borrowed. Never throws: damage ends in the event "failed". */
  receive(now: Millis, bytes: Uint8Array, start: number, end: number): void {
    if (this.#began === NEVER) this.#began = now;
    let at = start;
    while (at < end && this.#state !== "ended") {
      at = this.#connection.receive(bytes, at, end);
      if (this.#connection.handshakeDone && !this.#asked) this.#connect();
      const message = this.#connection.take();
      if (message !== undefined) this.#receiveMessage(message);
      this.#checkFailure();
    }
    this.#connection.acknowledge();
    this.#checkFailure();
  }

  /** Gives up on a server that does not answer the request to publish. */
  advance(now: Millis): void {
    if (this.#began === NEVER) this.#began = now;
    if (now < this.deadline()) return;
    this.#connection.stats.timeouts++;
    this.#connection.fail("rtmp.timeout.setup", `the server did not accept the stream within ${this.#limits.setupMillis} ms`);
    this.#checkFailure();
  }

  deadline(): Millis {
    return this.#state === "publishing" || this.#state === "ended" ? NEVER : this.#began + this.#limits.setupMillis;
  }

  /** Copies bytes to send into into[offset…limit); answers how many, 0 = drained. */
  transmit(into: Uint8Array, offset: number, limit: number): number {
    return this.#connection.transmit(into, offset, limit);
  }

  event(): PublisherEvent | undefined {
    return this.#events.shift();
  }

  /**
   * Sends one FLV tag (types of flv/tag.ts) once accepted; the payload is copied. `timestamp`: 0…2^32−1, on a clock common to all tags.
   * False when it was not taken: not accepted, or the outbox is full. Then drop up to the next keyframe.
   */
  send(type: number, timestamp: Millis, payload: Uint8Array): boolean {
    if (this.#state !== "publishing") return false;
    const id = type === AUDIO ? chunkStream.audio : type === VIDEO ? chunkStream.video : chunkStream.data;
    const sent = this.#connection.sendMedia(id, type, this.#streamId, timestamp, type === SCRIPT ? setDataFrame(payload) : payload);
    if (!sent) this.droppedTags++;
    return sent;
  }

  /** Ends the stream in order: drain `transmit`, then close. */
  close(_now: Millis): void {
    if (this.#state === "publishing" || this.#state === "asking") {
      this.#command(0, "FCUnpublish", TRANSACTION.unpublish, null, this.#options.key);
      this.#command(0, "deleteStream", TRANSACTION.remove, null, this.#streamId);
    }
    this.#state = "ended";
  }

  #connect(): void {
    this.#asked = true;
    const { app, tcUrl, chunkBytes } = this.#options;
    this.#connection.sendChunkSize(chunkBytes ?? 4096);
    const object = amf0Object({ app, type: "nonprivate", flashVer: "FMLE/3.0 (compatible; Longhaul)", tcUrl });
    this.#command(0, "connect", TRANSACTION.connect, object);
  }

  #receiveMessage(message: Message): void {
    if (message.type !== messageType.command && message.type !== messageType.commandAmf3) {
      this.#connection.stats.ignoredMessages++;
      return;
    }
    const command = message.payload.length <= this.#limits.commandBytesMax ? parseCommand(message.type, message.payload) : undefined;
    if (command === undefined) this.#connection.stats.damagedMessages++;
    else if (command.name === "_result") this.#result(command);
    else if (command.name === "_error") this.#error(command);
    else if (command.name === "onStatus") this.#status(command);
    else if (command.name === "close") this.#refused(statusCode.connectRejected, "the server closed the connection");
    else this.#connection.stats.unknownCommands++;
  }

  #result(command: Command): void {
    const { key } = this.#options;
    if (command.transaction === TRANSACTION.connect && this.#state === "connecting") {
      this.#state = "creating";
      this.#command(0, "releaseStream", TRANSACTION.release, null, key);
      this.#command(0, "FCPublish", TRANSACTION.announce, null, key);
      this.#command(0, "createStream", TRANSACTION.create, null);
    } else if (command.transaction === TRANSACTION.create && this.#state === "creating") {
      const streamId = command.arguments[0];
      if (typeof streamId !== "number" || !(streamId >= 1 && streamId < 2 ** 32)) {
        this.#connection.fail("rtmp.stream", "the server created no stream");
        return;
      }
      this.#state = "asking";
      this.#streamId = streamId;
      this.#command(streamId, "publish", TRANSACTION.publish, null, key, "live");
    }
  }

  #error(command: Command): void {
    // releaseStream and FCPublish are courtesies that servers may not know.
    const { transaction } = command;
    if (transaction === TRANSACTION.release || transaction === TRANSACTION.announce || transaction > TRANSACTION.publish) return;
    this.#refuseWith(command.arguments[0]);
  }

  #status(command: Command): void {
    const information = command.arguments[0];
    const code = stringField(information, "code") ?? "";
    if (stringField(information, "level") === "error") this.#refuseWith(information);
    else if (code === statusCode.publishing && this.#state === "asking") {
      this.#state = "publishing";
      this.#events.push({ kind: "accepted" });
    } else if (code === statusCode.unpublished) this.#refused(code, "the server ended the stream");
  }

  #refuseWith(information: Amf0): void {
    this.#refused(
      stringField(information, "code") ?? statusCode.failed,
      stringField(information, "description") ?? "the server gave no reason",
    );
  }

  #refused(code: string, description: string): void {
    this.#state = "ended";
    this.#events.push({ kind: "refused", code, description });
  }

  #command(streamId: number, name: string, transaction: number, ...values: readonly Amf0[]): void {
    const payload = commandPayload(name, transaction, ...values);
    this.#connection.send(chunkStream.command, messageType.command, streamId, 0, payload);
  }

  #checkFailure(): void {
    const error = this.#connection.failure;
    if (error === undefined || this.#state === "ended") return;
    this.#state = "ended";
    this.#events.push({ kind: "failed", error });
  }
}

/** Each command is sent once, so its number can be fixed. */
const TRANSACTION = { connect: 1, release: 2, announce: 3, create: 4, publish: 5, unpublish: 6, remove: 7 } as const;
/** At most "accepted" and how it ended. */
const EVENTS_MAX = 4;
