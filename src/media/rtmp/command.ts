/**
 * Commands: a name, a transaction number, an object, arguments; all AMF0 (Adobe RTMP 1.0 section 7.1.1).
 *
 *   "publish" · 5 · null · "stream key" · "live"            answers are named _result or _error and repeat the transaction number;
 *   "onStatus" · 0 · null · { level, code, description }    transaction 0 wants no answer
 */
import { Writer } from "../../base/cursor.ts";
import { type Amf0, type Amf0Object, Amf0Reader, amf0Object, writeAmf0 } from "./amf0.ts";
import { messageType } from "./message.ts";

export interface Command {
  readonly name: string;
  readonly transaction: number;
  /** Command object, null in most commands. */
  readonly object: Amf0;
  readonly arguments: readonly Amf0[];
}

/** Reads the payload of a command message; undefined when it is damaged. Never throws. */
export function parseCommand(type: number, payload: Uint8Array): Command | undefined {
  // Commands in AMF3 envelopes are AMF0 behind a byte of format, with AMF3 values only where a marker says so.
  const reader = new Amf0Reader(payload, type === messageType.commandAmf3 ? 1 : 0);
  const name = reader.value();
  const transaction = reader.value();
  const object = reader.left > 0 ? reader.value() : null;
  const values: Amf0[] = [];
  while (reader.left > 0 && values.length < ARGUMENTS_MAX) values.push(reader.value());
  if (typeof name !== "string" || typeof transaction !== "number" || reader.damaged) return undefined;
  return { name, transaction, object, arguments: values };
}

export function commandPayload(name: string, transaction: number, ...values: readonly Amf0[]): Uint8Array {
  const writer = new Writer();
  writeAmf0(writer, name);
  writeAmf0(writer, transaction);
  for (const value of values) writeAmf0(writer, value);
  return writer.finish();
}

/** The object that onStatus, _result of connect and _error carry. */
export function statusObject(level: "status" | "error", code: string, description: string): Amf0Object {
  return amf0Object({ level, code, description });
}

/** Codes we send (Adobe, "NetStream" and "NetConnection" events; Rejected and Denied as encoders know them). */
export const statusCode = {
  connected: "NetConnection.Connect.Success",
  connectRejected: "NetConnection.Connect.Rejected",
  callFailed: "NetConnection.Call.Failed",
  publishing: "NetStream.Publish.Start",
  badName: "NetStream.Publish.BadName",
  publishDenied: "NetStream.Publish.Denied",
  unpublished: "NetStream.Unpublish.Success",
  playFailed: "NetStream.Play.Failed",
  failed: "NetStream.Failed",
} as const;

const ARGUMENTS_MAX = 32;
