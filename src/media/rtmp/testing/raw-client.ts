/** A client for tests that sends any command on any stream and collects the answers. */
import { type Amf0, amf0Object } from "../amf0.ts";
import { type Command, commandPayload, parseCommand } from "../command.ts";
import { Connection } from "../connection.ts";
import { defaultLimits } from "../limits.ts";
import { chunkStream, messageType } from "../message.ts";
import type { RtmpServer } from "../server.ts";
import { drain } from "./pump.ts";

export class RawClient {
  readonly server: RtmpServer;
  readonly connection = new Connection("client", new Uint8Array(1528), { ...defaultLimits, outboxBytesMax: 1 << 24 });
  readonly answers: Command[] = [];

  /** The handshake is done at once. */
  constructor(server: RtmpServer) {
    this.server = server;
    this.exchange();
    this.exchange();
  }

  command(streamId: number, name: string, transaction: number, ...values: readonly Amf0[]): void {
    this.message(messageType.command, streamId, commandPayload(name, transaction, ...values));
  }

  message(type: number, streamId: number, payload: Uint8Array, timestamp = 0): void {
    this.connection.send(chunkStream.command, type, streamId, timestamp, payload);
    this.exchange();
  }

  /** Up to the event "publish". */
  publish(key: string, app = "live"): void {
    this.command(0, "connect", 1, amf0Object({ app, tcUrl: `rtmp://host/${app}` }));
    this.command(0, "createStream", 2, null);
    this.command(1, "publish", 3, null, key, "live");
  }

  /** The answers since the last call, as "name transaction code". */
  heard(): string[] {
    return this.answers.splice(0).map(({ name, transaction, arguments: [value] }) => `${name} ${transaction} ${code(value)}`);
  }

  exchange(): void {
    const sent = drain(this.connection);
    this.server.receive(0, sent, 0, sent.length);
    const received = drain(this.server);
    for (let at = 0; at < received.length; ) {
      at = this.connection.receive(received, at, received.length);
      const message = this.connection.take();
      const command = message === undefined ? undefined : parseCommand(message.type, message.payload);
      if (command !== undefined) this.answers.push(command);
    }
  }
}

function code(value: Amf0): string {
  return typeof value === "object" && value !== null && "fields" in value ? String(value.fields.get("code")) : String(value);
}
