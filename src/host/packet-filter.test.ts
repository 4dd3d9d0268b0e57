import assert from "node:assert/strict";
import { test } from "node:test";
import { type Instruction, NOTHING, packetFilter } from "./packet-filter.ts";

const NETWORK = 0xfff00000;

/** What the kernel does with a program of the instructions used here; a load beyond the packet refuses it. */
function accepts(program: readonly Instruction[], packet: Uint8Array, outgoing = false): boolean {
  let a = 0;
  let x = 0;
  for (let at = 0; at < program.length; at++) {
    const { code, whenTrue, whenFalse, k: given } = program[at]!;
    // SKF_NET_OFF: the packet here has no link header.
    const k = (code & 7) < 2 && given >= NETWORK && given < 0xfffff000 ? given - NETWORK : given;
    const offset = (code & 0xe0) === 0x40 ? x + k : k;
    const size = (code & 0x18) === 0x10 ? 1 : 2;
    if (code === 0xb1) x = 4 * (packet[k]! & 15);
    else if (code === 0x30 && k === 0xfffff004) a = outgoing ? 4 : 0;
    else if (code === 0x06) return k !== 0;
    else if ((code & 7) === 0) {
      if (offset + size > packet.length) return false;
      a = size === 1 ? packet[offset]! : (packet[offset]! << 8) | packet[offset + 1]!;
    } else at += (code === 0x15 ? a === k : (a & k) !== 0) ? whenTrue : whenFalse;
  }
  assert.fail("the program has no end");
}

const v4 = (protocol: number, body: number[], options = 0, fragment = 0): Uint8Array =>
  Uint8Array.from([
    0x45 + options,
    0,
    0,
    0,
    0,
    0,
    fragment >> 8,
    fragment & 255,
    64,
    protocol,
    ...new Array(10 + 4 * options).fill(0),
    ...body,
  ]);
const v6 = (next: number, body: number[]): Uint8Array =>
  Uint8Array.from([0x60, 0, 0, 0, 0, 0, next, 64, ...new Array(32).fill(0), ...body]);
const tcp = [0x12, 0x34, 0x10, 0x00, 0, 0, 0, 0];
const echo = (type: number, id: number): number[] => [type, 0, 0, 0, id >> 8, id & 255, 0, 0];

test("only the port's packets of the protocol pass, whatever the length of the header, no fragments, none of our own", () => {
  const program = packetFilter({ version: 4, protocol: 6, port: 4096 });
  assert.ok(accepts(program, v4(6, tcp)));
  assert.ok(accepts(program, v4(6, tcp, 3)));
  assert.ok(!accepts(program, v4(6, tcp), true));
  assert.ok(!accepts(program, v4(17, tcp)));
  assert.ok(!accepts(program, v4(6, [0x12, 0x34, 0x10, 0x01])));
  assert.ok(accepts(program, v4(6, tcp, 0, 0x4000)), "don't fragment");
  assert.ok(!accepts(program, v4(6, tcp, 0, 0x0010)));
  assert.ok(!accepts(program, v4(6, [])));
});

test("IPv6, echoes by type and id, any port", () => {
  assert.ok(accepts(packetFilter({ version: 6, protocol: 6, port: 4096 }), v6(6, tcp)));
  assert.ok(!accepts(packetFilter({ version: 6, protocol: 6, port: 4097 }), v6(6, tcp)));
  const reply = packetFilter({ version: 4, protocol: 1, icmpType: 0, port: 777 });
  assert.ok(accepts(reply, v4(1, echo(0, 777))));
  assert.ok(!accepts(reply, v4(1, echo(8, 777))));
  assert.ok(!accepts(reply, v4(1, echo(0, 778))));
  const request = packetFilter({ version: 6, protocol: 58, icmpType: 128 });
  assert.ok(accepts(request, v6(58, echo(128, 5))));
  assert.ok(!accepts(request, v6(58, echo(129, 5))));
  assert.ok(!accepts(NOTHING, v4(6, tcp)));
});
