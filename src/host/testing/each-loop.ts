/** Runs a test once on every loop that works here, and sees to it that nothing is left open behind it. */
import assert from "node:assert/strict";
import { readdirSync, readlinkSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { chooseIo } from "../choose.ts";
import type { Loop, TcpHandler, UdpHandler } from "../loop.ts";
import { EpollLoop } from "../loop-epoll.ts";
import { NodeLoop } from "../loop-node.ts";
import { loadSys } from "../sys.ts";
import { UdpCalls } from "../udp-calls.ts";

const hasEpoll = chooseIo("auto", "").kind === "epoll";

export type AnyLoop = EpollLoop | NodeLoop;

export function eachLoop(name: string, run: (loop: AnyLoop) => Promise<void>): void {
  onEpoll(name, run);
  onNode(name, run);
}

/** As eachLoop, and on Node's loop with datagrams by system calls. */
export function eachUdp(name: string, run: (loop: AnyLoop) => Promise<void>): void {
  eachLoop(name, run);
  onNodeCalls(name, run);
}

export function onNodeCalls(name: string, run: (loop: NodeLoop) => Promise<void>): void {
  test(`${name} (node, system calls)`, { skip: hasEpoll ? false : "foreign calls do not work here" }, async () => {
    const before = descriptors();
    await bounded(new NodeLoop({ udpCalls: new UdpCalls(loadSys()) }), run);
    await until(() => descriptors() <= before);
  });
}

export function onNode(name: string, run: (loop: NodeLoop) => Promise<void>): void {
  test(`${name} (node)`, () => bounded(new NodeLoop(), run));
}

export function onEpoll(name: string, run: (loop: EpollLoop) => Promise<void>, make: () => EpollLoop = () => new EpollLoop()): void {
  test(`${name} (epoll)`, { skip: hasEpoll ? false : "foreign calls do not work here" }, async () => {
    const before = descriptors();
    const loop = make();
    loop.attach();
    await bounded(loop, run);
    await until(() => descriptors() <= before);
  });
}

async function bounded<L extends Loop>(loop: L, run: (loop: L) => Promise<void>): Promise<void> {
  try {
    await run(loop);
  } finally {
    loop.stop();
  }
}

/** Sockets and epoll instances: files that others of this process open meanwhile are none of a loop's. */
function descriptors(): number {
  return process.platform === "linux" ? readdirSync("/proc/self/fd").filter(isOfLoop).length : 0;
}

function isOfLoop(fd: string): boolean {
  try {
    return /^(socket:|anon_inode:\[eventpoll)/.test(readlinkSync(`/proc/self/fd/${fd}`));
  } catch {
    return false;
  }
}

/** Waits for the condition; fails when it does not come true in time. */
export async function until(condition: () => boolean, milliseconds = 20_000): Promise<void> {
  const limit = performance.now() + milliseconds;
  while (!condition()) {
    if (performance.now() > limit) assert.fail(`did not come true within ${milliseconds} ms: ${condition}`);
    await sleep(1);
  }
}

export function udpHandler(handler: Partial<UdpHandler> = {}): UdpHandler {
  return { receive: () => {}, writable: () => {}, ...handler };
}

export function tcpHandler(handler: Partial<TcpHandler> = {}): TcpHandler {
  return { connected: () => {}, readable: () => {}, writable: () => {}, closed: () => {}, ...handler };
}

export function portOf(listener: { readonly local: object }): number {
  return (listener.local as { port: number }).port;
}
