import assert from "node:assert/strict";
import { test } from "node:test";
import { Batch } from "../base/batch.ts";
import { HostError } from "../base/errors.ts";
import type { Link, LinkHandler } from "./link.ts";
import { newUdpCounters } from "./loop.ts";
import { OnePeer } from "./one-peer.ts";
import { TiedLink } from "./tied-link.ts";

/** An interface that comes and goes: its index, 0 for gone. */
class World {
  index = 0;
  now = 0;
  refuses = false;
  opened: { link: Link; handler: LinkHandler; sent: number; closed: boolean }[] = [];
  received: number[] = [];
  readonly lines: string[] = [];
  readonly link: TiedLink;

  constructor() {
    const line = (_facts: unknown, text: string): void => void this.lines.push(text);
    const log = { info: line, warn: line, error: line, debug: line, child: () => log } as never;
    this.link = new TiedLink(
      {
        server: { host: "192.0.2.1", port: 7 },
        departure: { device: "eth1" },
        open: (handler) => this.#open(handler),
        now: () => this.now,
        log,
        presence: () => this.index,
      },
      { receive: (_now, batch) => this.received.push(...batch.peer.subarray(0, batch.length)), writable: () => undefined },
    );
  }

  send(): number {
    const batch = new Batch(4);
    batch.length = 2;
    return this.link.send(batch, 0);
  }

  #open(handler: LinkHandler): Link {
    if (this.refuses) throw new HostError("EADDRNOTAVAIL", "bind", "eth1");
    const server = new OnePeer({ host: "192.0.2.1", port: 7 });
    const made = { handler, sent: 0, closed: false } as World["opened"][number];
    made.link = {
      local: { host: "::", port: 1 },
      // Not 0, as in a table where somebody else came first.
      addresses: Object.assign(server, { intern: () => 5 }),
      counters: newUdpCounters(),
      send: (batch, from) => {
        for (let i = from; i < batch.length; i++) assert.equal(batch.peer[i], 5);
        made.sent += batch.length - from;
        made.link.counters.sentDatagrams += batch.length - from;
        return batch.length;
      },
      close: () => (made.closed = true),
    };
    this.opened.push(made);
    return made.link;
  }
}

test("while the interface is not there what is sent is dropped, and its link is opened when it comes and anew when another has its name", () => {
  const world = new World();
  assert.equal(world.send(), 2);
  assert.deepEqual([world.opened.length, world.link.counters.sendErrors, world.lines.length], [0, 2, 1]);
  world.index = 3;
  world.send();
  assert.equal(world.opened.length, 0, "it is not looked for in every round");
  world.now = 1000;
  world.send();
  assert.equal(world.opened[0]!.sent, 2);
  world.index = 9;
  world.now = 2000;
  world.send();
  assert.deepEqual([world.opened[0]!.closed, world.opened.length, world.opened[1]!.sent], [true, 2, 2]);
  world.index = 0;
  world.now = 3000;
  world.send();
  assert.equal(world.opened[1]!.closed, true);
  assert.deepEqual({ ...world.link.counters, receiveDropped: 0 }, { ...newUdpCounters(), sentDatagrams: 4, sendErrors: 6 });
  assert.equal(world.lines.length, 3);
});

test("an address that the kernel refuses is tried again", () => {
  const world = new World();
  world.index = 1;
  world.refuses = true;
  world.now = 1000;
  world.send();
  assert.equal(world.opened.length, 0);
  world.refuses = false;
  world.now = 2000;
  world.send();
  assert.equal(world.opened[0]!.sent, 2);
});

test("what comes from somebody else is not the server's", () => {
  const world = new World();
  world.index = 1;
  world.now = 1000;
  world.send();
  const batch = new Batch(4);
  batch.length = 2;
  batch.peer.set([5, 6]);
  world.opened[0]!.handler.receive(0, batch);
  assert.deepEqual(world.received, [0, 1]);
});
