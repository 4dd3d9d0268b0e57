/** What each example must do, on the sources (test/examples.test.ts) and on the installed package (package.ts). */
import assert from "node:assert/strict";
import { type ChildProcessByStdio, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { DemoPublisher } from "../../src/demo/publisher.ts";
import { silentLog } from "../../src/host/log.ts";
import { NodeLoop } from "../../src/host/loop-node.ts";
import { FlvLoop } from "../../src/media/flv/loop.ts";
import { createServer } from "../../src/net/server.ts";
import { freePorts } from "./free-ports.ts";

/** How an example is run: the program, and what comes before the example's arguments. */
export type Command = (example: string) => readonly [program: string, ...argv: string[]];

type Running = ChildProcessByStdio<Writable, Readable, null>;

// Node's test runner talks to its children by this; an example's own tests are to report to us as they would to a user.
const { NODE_TEST_CONTEXT: _, ...env } = process.env;

function output(command: Command, example: string, input = ""): string {
  const [program, ...argv] = command(example);
  return execFileSync(program, argv, { input, env, encoding: "utf8", timeout: 20_000 });
}

function start(command: Command, example: string, ...given: readonly (string | number)[]): Running {
  const [program, ...argv] = command(example);
  const child = spawn(program, [...argv, ...given.map(String)], { env, stdio: ["pipe", "pipe", "inherit"] });
  child.stdout.setEncoding("utf8");
  return child;
}

/** A link of 1.2 Mbit/s and 20 ms; the sender offers 1 Mbit/s, from second 5 on 1.5, from second 7 on 0.5. */
function trace(): string {
  const lines: string[] = [];
  const bytes = 1200;
  let free = 0;
  for (let at = 0; at < 10e6; ) {
    free = Math.max(free, at + 20_000) + (bytes * 8) / 1.2;
    lines.push(`${lines.length + 1} ${Math.round(at)} ${bytes} ${Math.round(free)}\n`);
    at += (bytes * 8) / (at < 5e6 ? 1 : at < 7e6 ? 1.5 : 0.5);
  }
  return lines.join("");
}

export const examples: Readonly<Record<string, (command: Command) => void | Promise<void>>> = {
  fec: (command) => assert.equal(output(command, "fec"), "two\n"),

  "emulated-link": (command) => assert.match(output(command, "emulated-link"), /pass 1\n.*fail 0/s),

  "gcc-trace": (command) => {
    const rows = output(command, "gcc-trace", trace())
      .trim()
      .split("\n")
      .map((row) => row.split(" ").map(Number) as [number, number]);
    const at = (second: number): number => rows.find(([time]) => time >= second)![1];
    assert.ok(at(4.8) > at(1), `grows while the link is free: ${at(1)}, then ${at(4.8)}`);
    assert.ok(at(7) < at(4.8), `falls when it is overused: ${at(4.8)}, then ${at(7)}`);
  },

  "kcp-over-dgram": async (command) => {
    const [a = 0, b = 0] = await freePorts(2);
    const ends = [start(command, "kcp-over-dgram", a, b), start(command, "kcp-over-dgram", b, a)] as const;
    try {
      ends[0].stdin.write("over the link\n");
      const [heard] = await once(ends[1].stdout, "data");
      assert.equal(heard, "over the link\n");
    } finally {
      for (const end of ends) end.kill();
    }
  },

  "tunnel-client": async (command) => {
    const server = createServer({ key: "an example", compat: "2021" }, (stream) => stream.pipe(stream)).listen({ host: "127.0.0.1" });
    try {
      await once(server, "listening");
      const client = start(command, "tunnel-client", "127.0.0.1", server.address()!.port, "an example");
      const ended = once(client, "exit");
      client.stdin.write("typed\n");
      const [heard] = await once(client.stdout, "data");
      assert.equal(heard, "typed\n");
      client.stdin.end();
      assert.deepEqual(await ended, [0, null]);
    } finally {
      server.destroy();
    }
  },

  "live-origin": async (command) => {
    const [rtmp = 0, http = 0] = await freePorts(2);
    const origin = start(command, "live-origin", rtmp, http);
    const loop = new NodeLoop();
    try {
      await once(origin.stdout, "data");
      const clip = new FlvLoop(new Uint8Array(readFileSync(join(import.meta.dirname, "../../assets/demo.flv"))));
      const connect: ConstructorParameters<typeof DemoPublisher>[2]["connect"] = (handler) =>
        loop.connect({ host: "127.0.0.1", port: rtmp }, handler);
      const tcUrl = `rtmp://127.0.0.1:${rtmp}/live`;
      new DemoPublisher(loop, clip, { connect, tcUrl, app: "live", key: "a-secret-key", random: new Uint8Array(1528) }, silentLog);
      const base = `http://127.0.0.1:${http}/live/show`;
      let playlist = "";
      for (let tries = 0; !playlist.includes("#EXT-X-PART:") && tries < 100; tries++) {
        await new Promise((later) => setTimeout(later, 50));
        playlist = await (await fetch(`${base}/media.m3u8`)).text();
      }
      const part = /#EXT-X-PART:.*URI="([^"]+)"/.exec(playlist)?.[1];
      assert.ok(part !== undefined, playlist);
      const bytes = new Uint8Array(await (await fetch(`${base}/${part}`)).arrayBuffer());
      assert.equal(new TextDecoder().decode(bytes.subarray(4, 8)), "moof");
    } finally {
      loop.stop();
      origin.kill();
    }
  },
};
