import assert from "node:assert/strict";
import { test } from "node:test";
import { NEVER } from "../../base/units.ts";
import { LiveQueue } from "./live-queue.ts";
import { type Message, messageType } from "./message.ts";
import { KEY, kindOf, PREDICTED, SOUND } from "./message-kind.ts";

const message = (type: number, ...bytes: readonly number[]): Message => ({
  type,
  timestamp: 0,
  streamId: 1,
  payload: Uint8Array.from(bytes),
});
const video = (...bytes: readonly number[]): Message => message(messageType.video, ...bytes);
const [key, predicted, header] = [video(0x17, 1, 0), video(0x27, 1, 0), video(0x17, 0, 0)];
const sound = message(messageType.audio, 0xaf, 1);
const letters = new Map<Message, string>([
  [key, "K"],
  [predicted, "p"],
  [header, "h"],
  [sound, "s"],
]);

/** The letters come 10 ms apart; then `wait` ms pass, and what is left is taken. */
function left(text: string, wait: number, delayMax = 1000, bytesMax = 1e6): string {
  const queue = new LiveQueue(delayMax, bytesMax);
  const by = new Map([...letters].map(([one, letter]) => [letter, one]));
  [...text].forEach((letter, i) => void queue.push(i * 10, by.get(letter)!));
  queue.advance(text.length * 10 + wait);
  let all = "";
  for (let next = queue.shift(0); next !== undefined; next = queue.shift(0)) all += letters.get(next);
  assert.equal(queue.bytes, 0);
  return all;
}

test("the tail of the oldest group is left out as a whole, sound and what decoders need stay", () => {
  assert.equal(left("hKspspKsps", 0), "hKspspKsps");
  // The last picture of a group that was begun before is late.
  assert.equal(left("hpspKsps", 935), "hsKsps");
  assert.equal(left("spKspp", 960), "sKspp");
});

test("a key frame goes when it is late itself; sound last, twice as late", () => {
  assert.equal(left("hKspspKsps", 920), "hssKsps");
  assert.equal(left("KspsKsps", 1000), "ssss");
  assert.equal(left("ssss", 1965), "sss");
  assert.equal(left("hhh", 5000), "hhh");
});

test("predicted frames behind a tail that was left out are left out until a key frame comes", () => {
  const queue = new LiveQueue(100, 1e6);
  queue.push(0, predicted);
  queue.advance(200);
  for (const one of [predicted, sound, predicted, key, predicted]) queue.push(210, one);
  assert.equal(queue.length, 3);
  assert.deepEqual(
    { ...queue.stats, droppedBytes: 0 },
    { videoDropped: 3, keysDropped: 0, tailsDropped: 1, audioDropped: 0, droppedBytes: 0, limitHits: 0 },
  );
});

test("more bytes than the limit never wait", () => {
  assert.equal(left("Kppppp", 0, 1000, 9), "K");
  const queue = new LiveQueue(1000, 9);
  for (let i = 0; i < 6; i++) queue.push(0, sound);
  assert.equal(queue.bytes, 8);
  assert.ok(queue.stats.limitHits > 0);
});

test("it says when something will be late", () => {
  const queue = new LiveQueue(1000, 1e6);
  assert.equal(queue.deadline(), NEVER);
  queue.push(5, header);
  assert.equal(queue.deadline(), NEVER);
  queue.push(10, sound);
  queue.push(20, predicted);
  assert.equal(queue.deadline(), 1021);
  queue.advance(1021);
  assert.equal(queue.deadline(), 2011);
});

test("what a message is, by classic codec numbers and enhanced ones", () => {
  const cases: readonly (readonly [Message, number])[] = [
    [key, KEY],
    [predicted, PREDICTED],
    [header, 0],
    [video(0x17, 2, 0), 0],
    [video(0x12, 9), KEY],
    [video(0x90, 0x68, 0x76), 0],
    [video(0x91, 0x68, 0x76), KEY],
    [video(0xa3, 0x68, 0x76), PREDICTED],
    [video(0x94, 0x68, 0x76), 0],
    [video(0x96, 0x00, 0x68), 0],
    [video(0x96, 0x01, 0x68), KEY],
    [video(0xa6, 0x13, 0x68), PREDICTED],
    [video(0xa7, 0, 9, 0x06, 0x21), PREDICTED],
    [message(messageType.audio, 0x95, 0x00), 0],
    [message(messageType.audio, 0x95, 0x01), SOUND],
    [video(0x17), 0],
    [sound, SOUND],
    [message(messageType.audio, 0xaf, 0), 0],
    [message(messageType.audio, 0x2f, 0), SOUND],
    [message(messageType.audio, 0x90, 0x4f), 0],
    [message(messageType.audio, 0x91, 0x4f), SOUND],
    [message(messageType.command, 2, 0), 0],
  ];
  for (const [one, kind] of cases) assert.equal(kindOf(one), kind, `${one.type}: ${[...one.payload]}`);
});
