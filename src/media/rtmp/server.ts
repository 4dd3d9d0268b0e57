/**
 * The server's side of one RTMP connection that publishes.
 *
 *   encoder                                        this core                          whoever runs it
 *   C0 C1                                   ───►
 *                                           ◄───   S0 S1 S2
 *   C2, connect {app, tcUrl}                ───►
 *                                           ◄───   window, bandwidth, chunk size, _result
 *   releaseStream, FCPublish, createStream  ───►
 *                                           ◄───   _result, _result, _result(1)
 *   publish(key)                            ───►                                      event "publish": looks the key up
 *                                           ◄───   StreamBegin, onStatus              accept, or refuse and close
 *   data, audio, video …                    ───►                                      event "media" …
 *   FCUnpublish, deleteStream               ───►                                      event "unpublish"
 *
 * Source: Adobe RTMP 1.0; the commands of Flash Media Live Encoder (releaseStream, FCPublish, _checkbw), which the specification leaves out, as
 * ffmpeg, OBS and GStreamer send them.
 *
 * Deviations: AMF0 only (objectEncoding 3 is answered with 0); nothing is played; one stream is published at a time; slashes at the end of
 * the application's name are dropped; bandwidth checks are answered without measuring.
 */
import { Ring } from "../../base/ring.ts";
import { type Bytes, type Millis, NEVER } from "../../base/units.ts";
import { FlvReader } from "../flv/tag.ts";
import { type Amf0, stringField } from "./amf0.ts";
import { connectInformation, serverProperties } from "./capabilities.ts";
import { type Command, commandPayload, parseCommand, statusCode, statusObject } from "./command.ts";
import { Connection } from "./connection.ts";
import type { RtmpEvent } from "./event.ts";
import { defaultLimits, type RtmpLimits, type RtmpStats } from "./limits.ts";
import { chunkStream, type Message, messageType, peerBandwidthPayload, u32Payload, userControl, userControlPayload } from "./message.ts";

export interface RtmpServerOptions {
  /** 1528 bytes of noise for the handshake, kept. */
  readonly random: Uint8Array;
  /** Largest chunk we send, and ask encoders like ffmpeg to send; default 4096. */
  readonly chunkBytes?: Bytes;
  /** How often the peer acknowledges, and how much it may have under way; default 2,500,000. */
  readonly windowAckBytes?: Bytes;
  readonly limits?: Partial<RtmpLimits>;
}

/** "asked" = the publish event is out and `accept` or `refuse` is awaited. */
type State = "handshake" | "connecting" | "connected" | "asked" | "publishing" | "refused" | "failed";

export class RtmpServer {
  readonly #connection: Connection;
  readonly #limits: RtmpLimits;
  readonly #chunkBytes: Bytes;
  readonly #windowAckBytes: Bytes;
  readonly #events: Ring<RtmpEvent>;
  /** Media of a stream that is not accepted yet. */
  readonly #early: Ring<RtmpEvent>;
  #eventBytes: Bytes = 0;
  #state: State = "handshake";
  #app = "";
  #tcUrl = "";
  #netStreams = 0;
  /** Message stream that publishes. */
  #streamId = 0;
  #key = "";
  /** FCPublish was seen, so that its sender waits for onFCPublish. */
  #flashEncoder = false;
  #began: Millis = NEVER;
  #heard: Millis = NEVER;

  constructor(options: RtmpServerOptions) {
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#chunkBytes = options.chunkBytes ?? 4096;
    this.#windowAckBytes = options.windowAckBytes ?? 2_500_000;
    this.#connection = new Connection("server", options.random, this.#limits);
    this.#events = new Ring(this.#limits.eventsMax);
    this.#early = new Ring(this.#limits.eventsMax);
  }

  get state(): State {
    return this.#state;
  }
  get stats(): Readonly<RtmpStats> {
    return this.#connection.stats;
  }
  /** Memory held by incomplete messages, by answers not sent and by events not taken. */
  get heldBytes(): Bytes {
    return this.#connection.assemblyBytes + this.#connection.queuedBytes + this.#eventBytes;
  }

  /** Bytes of the peer, borrowed. Feed at most 64 KiB a call, then take the events. Never throws: damage ends in the event "failed". */
  receive(now: Millis, bytes: Uint8Array, start: number, end: number): void {
    if (this.#began === NEVER) this.#began = now;
    this.#heard = now;
    let at = start;
    while (at < end && this.#state !== "failed" && this.#state !== "refused") {
      at = this.#connection.receive(bytes, at, end);
      if (this.#state === "handshake" && this.#connection.handshakeDone) this.#state = "connecting";
      const message = this.#connection.take();
      if (message !== undefined) this.#receiveMessage(message);
      this.#checkFailure();
    }
    this.#connection.acknowledge();
    this.#checkFailure();
  }

  /** Ends connections that take too long to publish, or fall silent. */
  advance(now: Millis): void {
    if (this.#began === NEVER) this.#began = now;
    if (now < this.deadline()) return;
    this.#connection.stats.timeouts++;
    const silent = this.#state === "publishing";
    if (silent) this.#connection.fail("rtmp.timeout.idle", `nothing was received for ${this.#limits.idleMillis} ms`);
    else this.#connection.fail("rtmp.timeout.setup", `nothing was published within ${this.#limits.setupMillis} ms`);
    this.#checkFailure();
  }

  deadline(): Millis {
    if (this.#state === "failed" || this.#state === "refused" || this.#state === "asked") return NEVER;
    return this.#state === "publishing" ? this.#heard + this.#limits.idleMillis : this.#began + this.#limits.setupMillis;
  }

  /** Copies bytes to send into into[offset…limit); answers how many, 0 = drained. */
  transmit(into: Uint8Array, offset: number, limit: number): number {
    return this.#connection.transmit(into, offset, limit);
  }

  /** The next event. Media that came before `accept` wait for it. */
  event(): RtmpEvent | undefined {
    const event = this.#events.shift();
    if (event !== undefined) this.#eventBytes -= mediaBytes(event);
    return event;
  }

  /** Lets the stream of the last publish event begin. False when the peer has left meanwhile. */
  accept(now: Millis): boolean {
    if (this.#state !== "asked") return false;
    this.#state = "publishing";
    this.#heard = now;
    for (let early = this.#early.shift(); early !== undefined; early = this.#early.shift()) {
      this.#eventBytes -= mediaBytes(early);
      this.#emit(this.#events, early);
    }
    this.#connection.sendControl(messageType.userControl, userControlPayload(userControl.streamBegin, this.#streamId));
    const description = `Publishing to ${this.#app}.`;
    if (this.#flashEncoder) this.#send(0, "onFCPublish", 0, null, statusObject("status", statusCode.publishing, description));
    this.#send(this.#streamId, "onStatus", 0, null, statusObject("status", statusCode.publishing, description));
    this.#checkFailure();
    return true;
  }

  /**
   * Tells the publisher why it is turned away, before or after `accept`; then drain `transmit` and close. `code`: one of `statusCode`:
   * NetStream.Publish.Denied for an unknown key, NetStream.Publish.BadName for one in use, NetStream.Failed for a codec. Nothing more is received.
   */
  refuse(_now: Millis, code: string, description: string): void {
    if (this.#state !== "asked" && this.#state !== "publishing") return;
    this.#send(code.startsWith("NetConnection.") ? 0 : this.#streamId, "onStatus", 0, null, statusObject("error", code, description));
    this.#forgetEvents();
    this.#state = "refused";
  }

  #receiveMessage(message: Message): void {
    const { type } = message;
    if (type === messageType.command || type === messageType.commandAmf3) this.#receiveCommand(message);
    else if (type === messageType.aggregate) this.#receiveAggregate(message);
    else if (type === messageType.audio || type === messageType.video || type === messageType.data) this.#receiveMedia(message);
    else this.#connection.stats.ignoredMessages++;
  }

  #receiveMedia(message: Message): void {
    const live = this.#state === "publishing" || this.#state === "asked";
    // GStreamer and some hardware send metadata on stream 0.
    const ours = message.streamId === this.#streamId || message.type === messageType.data;
    if (!live || !ours || message.payload.length === 0) {
      this.#connection.stats.ignoredMessages++;
      return;
    }
    this.#emit(this.#state === "asked" ? this.#early : this.#events, { kind: "media", message });
  }

  /** Many tags in one message, with times relative to its first (Adobe RTMP 1.0 section 7.1.6). */
  #receiveAggregate(message: Message): void {
    const { payload, streamId } = message;
    const reader = new FlvReader(payload, 0);
    let offset: number | undefined;
    while (reader.next() && this.#connection.failure === undefined) {
      offset ??= message.timestamp - reader.timestamp;
      const timestamp = (reader.timestamp + offset) >>> 0;
      const { type, start, end } = reader;
      if (type === messageType.audio || type === messageType.video || type === messageType.data) {
        this.#receiveMedia({ type, timestamp, streamId, payload: payload.subarray(start, end) });
      }
    }
    if (reader.damaged) this.#connection.stats.damagedMessages++;
  }

  #receiveCommand(message: Message): void {
    const { stats } = this.#connection;
    if (message.payload.length > this.#limits.commandBytesMax) {
      stats.commandLimitHits++;
      this.#connection.fail(
        "rtmp.command.length",
        `a command of ${message.payload.length} bytes; at most ${this.#limits.commandBytesMax} are taken`,
      );
      return;
    }
    const command = parseCommand(message.type, message.payload);
    if (command === undefined) stats.damagedMessages++;
    else if (command.name === "connect") this.#connect(command);
    else if (this.#state === "connecting") this.#reject(command, "connect first");
    else this.#streamCommand(command, message.streamId);
  }

  #connect(command: Command): void {
    if (this.#state !== "connecting") {
      this.#reject(command, "connected already");
      return;
    }
    const app = stringField(command.object, "app") ?? "";
    if (app.length > this.#limits.nameCharactersMax) {
      this.#connection.stats.nameLimitHits++;
      this.#reject(command, "the application's name is too long", statusCode.connectRejected);
      return;
    }
    this.#app = app.replace(/\/+$/, "");
    this.#tcUrl = (stringField(command.object, "tcUrl") ?? "").slice(0, this.#limits.nameCharactersMax);
    this.#state = "connected";
    this.#connection.sendControl(messageType.windowAcknowledgementSize, u32Payload(this.#windowAckBytes));
    this.#connection.sendControl(messageType.setPeerBandwidth, peerBandwidthPayload(this.#windowAckBytes));
    this.#connection.sendChunkSize(this.#chunkBytes);
    this.#send(0, "_result", command.transaction, serverProperties(), connectInformation(command.object));
  }

  #streamCommand(command: Command, streamId: number): void {
    if (command.name === "createStream") this.#createStream(command);
    else if (command.name === "publish") this.#publish(command, streamId);
    else if (command.name === "play" || command.name === "play2") this.#refusePlay(streamId);
    else if (command.name === "closeStream") this.#unpublish(streamId);
    else if (command.name === "deleteStream") this.#unpublish(Number(command.arguments[0]));
    else if (command.name === "FCUnpublish") {
      this.#result(command);
      if (this.#key === command.arguments[0]) this.#unpublish(this.#streamId);
    } else if (command.name === "FCPublish") {
      this.#flashEncoder = true;
      this.#result(command);
    } else if (command.name === "releaseStream" || command.name === "_checkbw") this.#result(command);
    else if (command.name !== "_result" && command.name !== "_error" && command.name !== "onStatus") {
      this.#connection.stats.unknownCommands++;
      this.#reject(command, `unknown command "${command.name.slice(0, 32)}"`);
    }
  }

  #createStream(command: Command): void {
    if (this.#netStreams >= this.#limits.netStreamsMax) {
      this.#connection.stats.netStreamLimitHits++;
      this.#reject(command, `more than ${this.#limits.netStreamsMax} streams`);
    } else this.#result(command, ++this.#netStreams);
  }

  #publish(command: Command, streamId: number): void {
    const key = command.arguments[0];
    const tooLong = typeof key === "string" && key.length > this.#limits.nameCharactersMax;
    if (tooLong) this.#connection.stats.nameLimitHits++;
    if (streamId < 1 || streamId > this.#netStreams) this.#reject(command, "create a stream first");
    else if (typeof key !== "string" || key === "" || tooLong) this.#status(streamId, statusCode.badName, "The stream has no proper name.");
    else if (this.#state !== "connected") this.#status(streamId, statusCode.badName, "This connection publishes already.");
    else {
      this.#state = "asked";
      this.#streamId = streamId;
      this.#key = key;
      this.#emit(this.#events, { kind: "publish", app: this.#app, key, tcUrl: this.#tcUrl });
    }
  }

  #refusePlay(streamId: number): void {
    this.#status(streamId, statusCode.playFailed, "Streams are published here over RTMP and watched over HLS or WHEP.");
  }

  #unpublish(streamId: number): void {
    if ((this.#state !== "asked" && this.#state !== "publishing") || streamId !== this.#streamId) return;
    this.#forgetEarly();
    this.#emit(this.#events, { kind: "unpublish" });
    this.#state = "connected";
    this.#began = this.#heard;
    this.#key = "";
    this.#send(streamId, "onStatus", 0, null, statusObject("status", statusCode.unpublished, "Unpublished."));
  }

  #result(command: Command, value?: Amf0): void {
    if (command.transaction !== 0) this.#send(0, "_result", command.transaction, null, value);
  }

  #reject(command: Command, description: string, code: string = statusCode.callFailed): void {
    if (command.transaction !== 0) this.#send(0, "_error", command.transaction, null, statusObject("error", code, `${description}.`));
  }

  #status(streamId: number, code: string, description: string): void {
    this.#send(streamId, "onStatus", 0, null, statusObject("error", code, description));
  }

  #send(streamId: number, name: string, transaction: number, ...values: readonly Amf0[]): void {
    this.#connection.send(chunkStream.command, messageType.command, streamId, 0, commandPayload(name, transaction, ...values));
  }

  #emit(queue: Ring<RtmpEvent>, event: RtmpEvent): void {
    const bytes = mediaBytes(event);
    if (this.#eventBytes + bytes <= this.#limits.eventBytesMax && queue.push(event)) this.#eventBytes += bytes;
    else {
      this.#connection.stats.eventLimitHits++;
      this.#connection.fail("rtmp.events", "events came faster than they were taken");
    }
  }

  #checkFailure(): void {
    const error = this.#connection.failure;
    if (error === undefined || this.#state === "failed") return;
    this.#state = "failed";
    this.#forgetEarly();
    // The reason must find room.
    if (this.#events.length >= this.#events.capacity) this.#forgetEvents();
    this.#events.push({ kind: "failed", error });
  }

  #forgetEarly(): void {
    for (let early = this.#early.shift(); early !== undefined; early = this.#early.shift()) this.#eventBytes -= mediaBytes(early);
  }

  #forgetEvents(): void {
    this.#events.clear();
    this.#early.clear();
    this.#eventBytes = 0;
  }
}

function mediaBytes(event: RtmpEvent): Bytes {
  return event.kind === "media" ? event.message.payload.length : 0;
}
