/**
 * A client, told by lines of JSON: a call that runs (a datagram every 20 ms from one socket), and every 50 ms a new connection and a new UDP flow.
 *
 *   {"do":"start","host":H,"port":P} ─► {}          {"do":"report"} ─► Report of what began since the last report; waits for what is under way
 */
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

export interface Report {
  /** One for each, in order of their beginning: who answered, "" for nobody within PATIENCE. */
  readonly connections: readonly string[];
  readonly flows: readonly string[];
  readonly packets: readonly string[];
}

const PACKET_MS = 20;
const NEW_MS = 50;
const PATIENCE_MS = 1000;

const answers = { connections: [] as string[], flows: [] as string[], packets: [] as string[] };
let place = { host: "", port: 0 };
let running = false;

function start(): void {
  running = true;
  const call = createSocket("udp4");
  call.on("error", () => {});
  call.on("message", (bytes) => {
    const [name = "", n = ""] = bytes.toString().split(" ");
    answers.packets[Number(n) - packetsBefore] = name;
  });
  setInterval(() => {
    if (!running) return;
    const n = answers.packets.push("") - 1;
    call.send(String(n + packetsBefore), place.port, place.host);
  }, PACKET_MS);
  setInterval(() => {
    if (!running) return;
    newConnection(answers.connections, answers.connections.push("") - 1);
    newFlow(answers.flows, answers.flows.push("") - 1);
  }, NEW_MS);
}

let packetsBefore = 0;

function newConnection(into: string[], n: number): void {
  const socket = connect(place);
  const timer = setTimeout(() => socket.destroy(), PATIENCE_MS);
  socket.on("error", () => {});
  socket.on("data", (bytes) => {
    into[n] = bytes.toString().trim();
    socket.end();
  });
  socket.on("close", () => clearTimeout(timer));
}

/** Asks again like SIP does, until there is an answer. */
function newFlow(into: string[], n: number): void {
  const socket = createSocket("udp4");
  socket.on("error", () => {});
  const ask = setInterval(() => socket.send("x", place.port, place.host), 200);
  socket.send("x", place.port, place.host);
  const done = (): void => {
    clearTimeout(timer);
    clearInterval(ask);
    socket.close();
  };
  const timer = setTimeout(done, PATIENCE_MS);
  socket.once("message", (bytes) => {
    into[n] = bytes.toString().split(" ")[0]!;
    done();
  });
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as { do: string; host?: string; port?: number };
  if (request.do === "start") {
    place = { host: request.host!, port: request.port! };
    start();
    process.stdout.write("{}\n");
  } else {
    running = false;
    await sleep(PATIENCE_MS + 100);
    process.stdout.write(`${JSON.stringify(answers satisfies Report)}\n`);
    packetsBefore += answers.packets.length;
    answers.connections = [];
    answers.flows = [];
    answers.packets = [];
    running = true;
  }
}
