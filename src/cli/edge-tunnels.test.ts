import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readTunnels } from "./edge-tunnels.ts";

function read(text: string): ReturnType<typeof readTunnels> {
  const folder = mkdtempSync(join(tmpdir(), "longhaul-tunnels-"));
  const file = join(folder, "tunnels.yaml");
  writeFileSync(file, text);
  try {
    return readTunnels(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("a tunnel has the options of a client, with mode auto and nothing that listens", () => {
  const { pop } = read("pop: { remoteaddr: 'far.example:29900', key: 12345, datashard: 0, nocomp: true }");
  assert.deepEqual(
    [pop!.remoteaddr, pop!.key, pop!.mode, pop!.datashard, pop!.nocomp, pop!.localaddr],
    ["far.example:29900", "12345", "auto", 0, true, ""],
  );
  assert.deepEqual(readTunnels(""), {});
});

test("what is wrong is named, with its tunnel", () => {
  const wrong: [string, RegExp][] = [
    ["pop: { remoteaddr: 'a:1' }", /pop: key is not given/],
    ["pop: { remoteaddr: 'a:1', key: k, mode: fastest }", /pop: --mode: "fastest"/],
    ["pop: { remoteaddr: 'a:1', key: k, forward: [':1'] }", /pop: forward is not for/],
    ["pop: { remoteaddr: 'a:1', key: k, carrier: icmp }", /pop: carrier icmp/],
    ["pop: { remoteaddr: 'a:1', key: k, colour: red }", /pop: .*colour/],
    ["'a b': { remoteaddr: 'a:1', key: k }", /a b: the name/],
    ["pop: 5", /pop: nothing is given/],
    ["5", /is not allowed/],
    ["{", /cannot be read/],
  ];
  for (const [text, reason] of wrong) assert.throws(() => read(text), reason, text);
});
