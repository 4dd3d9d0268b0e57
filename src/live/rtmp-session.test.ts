import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { silentLog } from "../host/log.ts";
import type { TcpSocket } from "../host/loop.ts";
import { type Host, RtmpSession } from "./rtmp-session.ts";

/** Brings `input` and takes `room` bytes. */
function socketOf(
  input: Uint8Array,
  room: number,
): { socket: TcpSocket; told: { bytes: number; shutdowns: number }; grant(bytes: number): void } {
  const told = { bytes: 0, shutdowns: 0 };
  let left = room;
  let at = 0;
  const socket = {
    remote: "192.0.2.1:5000",
    local: "",
    read(bytes: Uint8Array, offset: number, limit: number): number {
      const n = Math.min(limit - offset, input.length - at);
      bytes.set(input.subarray(at, at + n), offset);
      at += n;
      return n;
    },
    write(_bytes: Uint8Array, offset: number, end: number): number {
      assert.equal(told.shutdowns, 0, "nothing is written after our side has ended");
      const n = Math.min(left, end - offset);
      left -= n;
      told.bytes += n;
      return n;
    },
    shutdown(): void {
      told.shutdowns++;
    },
    close(): void {},
    reset(): void {},
  } as unknown as TcpSocket;
  return {
    socket,
    told,
    grant(bytes) {
      left += bytes;
    },
  };
}

test("an encoder that fails and takes nothing: our side ends behind what it is still to be told", () => {
  const prng = new Prng(3);
  const input = new Uint8Array(1 + 1536 + 1536 + 64);
  prng.fill(input);
  input[0] = 3;
  // fmt 3 on a chunk stream that has not begun.
  input.fill(0xc9, 1 + 2 * 1536);
  const refused: string[] = [];
  const host = {
    log: silentLog,
    buffer: new Uint8Array(65_536),
    wallClock: () => 0,
    refused: (reason: string) => void refused.push(reason),
    released() {},
    closed() {},
  } as unknown as Host;
  const { socket, told, grant } = socketOf(input, 100);
  const session = new RtmpSession(host, socket, { random: new Uint8Array(1528) }, 0);
  session.readable(0);
  session.advance(1);
  assert.equal(refused.length, 1);
  assert.deepEqual(told, { bytes: 100, shutdowns: 0 });
  grant(10_000);
  session.writable();
  session.writable();
  assert.ok(told.bytes >= 1 + 2 * 1536, `${told.bytes}`);
  assert.equal(told.shutdowns, 1);
});
