import assert from "node:assert/strict";
import { test } from "node:test";
import { TestSource } from "../../live/testing/source.ts";
import { healthFigures, IngestHealth } from "./ingest-health.ts";

test("rates, key frames and starvation of a stream, second by second, and nothing kept once all of it is past", () => {
  const source = new TestSource();
  const health = new IngestHealth(source.channel);
  const tick = (viewers = 0, starving = false): void => health.tick(source.time, viewers, starving);
  tick();
  assert.deepEqual(health.view(0).figures.framerate, [], "nothing before the first stream");
  for (let second = 1; second <= 6; second++) {
    source.stream(1, { frameBytes: 500 });
    tick(second, second === 3);
  }
  const { at, figures } = health.view(77);
  assert.equal(at, 77);
  for (const name of healthFigures) assert.equal(figures[name].length, 600, name);
  const last = (name: keyof typeof figures, n: number) => figures[name].slice(-n);
  assert.deepEqual(last("framerate", 7), [null, 30, 30, 30, 30, 30, 30]);
  assert.deepEqual(last("videoBitrate", 2), [120_000, 120_000]);
  assert.ok(
    last("audioBitrate", 3).every((rate) => rate! > 6000 && rate! < 9000),
    String(last("audioBitrate", 3)),
  );
  assert.deepEqual(last("keyframeInterval", 3), [2, 2, 2]);
  assert.deepEqual(last("viewers", 3), [4, 5, 6]);
  assert.deepEqual(last("starving", 4), [1, 0, 0, 0]);
  source.channel.end(source.time);
  for (let second = 0; second < 599; second++) {
    source.time += 1000;
    tick();
  }
  assert.deepEqual(
    health.view(0).figures.framerate.filter((value) => value !== null),
    [30],
  );
  source.time += 1000;
  tick();
  assert.deepEqual(health.view(0).figures.framerate, []);
  health.close();
  assert.equal(source.channel.listeners.size, 0);
});
