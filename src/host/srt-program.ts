/**
 * srt-live-transmit (Debian: srt-tools), a process for each encoder: it listens on a port of the loopback for one caller and writes what it gets to its standard output.
 *
 * It ends when its caller has gone, when nobody called, and when nobody reads it any more: none outlives this process by long.
 * Deviation from how secrets are handled elsewhere: it takes the passphrase on its command line only, which other users of this machine can read while it runs
 * unless /proc is mounted with hidepid.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import type { Millis } from "../base/units.ts";
import { runProgram } from "./program.ts";

const COMMAND = "srt-live-transmit";
const COMPLAINT_MAX = 500;

export interface SrtListenerOptions {
  /** Milliseconds for lost datagrams to be sent again; the caller may want more. */
  readonly latency: Millis;
  /** Empty: not encrypted. Letters, digits and -._~ only: the program does not undo the escapes of addresses. */
  readonly passphrase: string;
  /** How long it waits for its caller. */
  readonly callWithin: Millis;
}

export interface SrtListenerHandler {
  /** It will listen here, on 127.0.0.1, in a moment. */
  starting(port: number): void;
  /** What the caller sent; owned by whoever takes it. */
  received(bytes: Uint8Array): void;
  /** It is gone; called once, not after `close`. With its last words. */
  ended(complaint: string): void;
}

export interface SrtListener {
  close(): void;
}

export type StartSrtListener = (options: SrtListenerOptions, handler: SrtListenerHandler) => SrtListener;

/** Undefined: it can be run; otherwise a sentence. */
export async function srtProgramMissing(): Promise<string | undefined> {
  const { status, error } = await runProgram({ program: COMMAND, args: ["-version"] });
  return status === undefined ? error : undefined;
}

export const startSrtListener: StartSrtListener = (options, handler) => {
  let child: ChildProcess | undefined;
  let over = false;
  let complaint = "";
  const end = (): void => {
    if (over) return;
    over = true;
    const last = complaint.trim().split("\n").at(-1) ?? "";
    // It may repeat the address it was given.
    handler.ended(options.passphrase === "" ? last : last.replaceAll(options.passphrase, "…"));
  };
  freePort((port) => {
    if (over) return;
    if (port === 0) {
      complaint = "no free port on 127.0.0.1";
      end();
      return;
    }
    child = spawn(COMMAND, commandLine(port, options), { stdio: ["ignore", "pipe", "pipe"] });
    child.on("error", ({ message }) => {
      complaint = message;
      end();
    });
    child.on("close", end);
    child.stderr!.on("data", (text: Buffer) => {
      complaint = (complaint + text.toString()).slice(-COMPLAINT_MAX);
    });
    child.stdout!.on("data", (bytes: Buffer) => {
      if (!over) handler.received(bytes);
    });
    handler.starting(port);
  });
  return {
    close() {
      over = true;
      child?.kill("SIGKILL");
    },
  };
};

function commandLine(port: number, { latency, passphrase, callWithin }: SrtListenerOptions): string[] {
  const secret = passphrase === "" ? "" : `&enforcedencryption=1&passphrase=${passphrase}`;
  const query = `mode=listener&latency=${latency}${secret}`;
  const seconds = String(Math.ceil(callWithin / 1000));
  // -to with -tm 1: ends when nobody called within so many seconds; -a:no: ends with its caller.
  return ["-q", "-a:no", `-to:${seconds}`, "-tm:1", `srt://127.0.0.1:${port}?${query}`, "file://con"];
}

/** The program must be told a port and says none: one that was free a moment ago. */
function freePort(done: (port: number) => void): void {
  const socket = createSocket("udp4");
  socket.on("error", () => done(0));
  socket.bind(0, "127.0.0.1", () => {
    const { port } = socket.address();
    socket.close(() => done(port));
  });
}
