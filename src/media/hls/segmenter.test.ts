import assert from "node:assert/strict";
import { test } from "node:test";
import { Segmenter, type SegmenterOptions, segmenterDefaults } from "./segmenter.ts";
import { audioTrack, type Encoder, EPOCH, encode, unit, videoTrack } from "./testing/stream.ts";
import { Window } from "./window.ts";

function world(options: Partial<SegmenterOptions> = {}): { window: Window; segmenter: Segmenter } {
  const window = new Window({ firstMsn: 100, segmentsMax: 50, segmentsKept: 4, bytesMax: 2 ** 26, targetDuration: 2 });
  return { window, segmenter: new Segmenter(window, { ...segmenterDefaults, ...options }) };
}

function run(
  encoder: Encoder,
  options: Partial<SegmenterOptions> = {},
  track = { ...videoTrack, framesPerSecond: encoder.framesPerSecond },
) {
  const { window, segmenter } = world(options);
  segmenter.configure(encoder.audio === true ? [track, audioTrack] : [track]);
  for (const each of encode(encoder)) segmenter.push(each);
  return { window, segmenter };
}

/** Segment durations in ms, and of the first one its parts. */
function shape(window: Window): string {
  const complete = window.listed.filter(({ bytes }) => bytes !== undefined);
  const parts = window.listed[0]!.parts.map(({ duration }) => Math.round(duration / 1000));
  return `target ${window.partTarget / 1000}, segments ${complete.map(({ duration }) => Math.round(duration / 1000)).join(" ")}, parts ${parts.join(" ")}`;
}

test("parts and segments by frame rate and key frame distance", () => {
  const rows: readonly [number, number, string][] = [
    [30, 60, "target 202, segments 2000 2000 2000, parts 200 200 200 200 200 200 200 200 200 200"],
    [25, 50, "target 202, segments 2000 2000 2000, parts 200 200 200 200 200 200 200 200 200 200"],
    [60, 120, "target 202, segments 2000 2000 2000, parts 200 200 200 200 200 200 200 200 200 200"],
    [24, 48, "target 211, segments 2000 2000 2000, parts 208 209 208 208 209 208 208 209 208 125"],
    [10, 20, "target 202, segments 2000 2000 2000, parts 200 200 200 200 200 200 200 200 200 200"],
    [4, 8, "target 252, segments 2000 2000 2000, parts 250 250 250 250 250 250 250 250"],
    // Key frames twice as often: from the second interval on every other one ends a segment.
    [30, 30, "target 202, segments 1000 1000 2000 2000, parts 200 200 200 200 200"],
  ];
  for (const [framesPerSecond, keyframeEvery, expected] of rows) {
    const { window, segmenter } = run({ framesPerSecond, keyframeEvery, seconds: 7 });
    assert.equal(shape(window), expected, `${framesPerSecond} frames/s, key frame every ${keyframeEvery}`);
    assert.deepEqual([segmenter.counters.partsLong, segmenter.counters.partsShort], [0, 0]);
    assert.ok(
      window.listed.every(
        ({ parts }) => parts[0]!.independent && parts.slice(1).every(({ independent }) => !independent || keyframeEvery === 30),
      ),
    );
  }
});

test("the rules of part durations hold for every rate from 5 to 120 frames a second, with and without a rate in the bitstream", () => {
  for (let rate = 5; rate <= 120; rate++) {
    for (const framesPerSecond of [rate, 0]) {
      const { window, segmenter } = run(
        { framesPerSecond: rate, keyframeEvery: rate * 2, seconds: 5 },
        {},
        { ...videoTrack, framesPerSecond },
      );
      const target = window.partTarget;
      for (const { parts, bytes } of window.listed) {
        parts.forEach(({ duration }, i) => {
          assert.ok(duration <= target, `${rate}: ${duration} <= ${target}`);
          if (i < parts.length - 1 || bytes === undefined)
            assert.ok(duration >= 0.85 * target, `${rate}: ${duration} >= 85 % of ${target}`);
        });
      }
      assert.equal(segmenter.counters.partsLong + segmenter.counters.partsShort, 0);
    }
  }
});

test("a segment starts with the next key frame when the encoder's distance is longer than the target, and the target duration follows", () => {
  const { window, segmenter } = run({ framesPerSecond: 30, keyframeEvery: 120, seconds: 13 });
  assert.match(shape(window), /segments 4000 4000 4000,/);
  assert.equal(window.targetDuration, 4);
  assert.equal(window.counters.targetDurationRaised, 1);
  assert.ok(window.independentSegments);
  assert.equal(segmenter.counters.segmentsWithoutKeyframe, 0);
});

test("without key frames a segment is cut at its limit, and no longer promised to be independent", () => {
  const { window, segmenter } = run({ framesPerSecond: 30, keyframeEvery: 10_000, seconds: 13 }, { segmentMax: 6_000_000 });
  assert.match(shape(window), /segments 6000 6000,/);
  assert.equal(segmenter.counters.segmentsWithoutKeyframe, 2);
  assert.equal(window.independentSegments, false);
});

test("a segment and a part are bounded in bytes", () => {
  const { window, segmenter } = run(
    { framesPerSecond: 30, keyframeEvery: 10_000, seconds: 2, frameBytes: 1000 },
    { partBytesMax: 3000, segmentBytesMax: 20_000 },
  );
  assert.ok(window.listed.every(({ byteLength, parts }) => byteLength < 25_000 && parts.every(({ bytes }) => bytes.length < 4000)));
  assert.ok(segmenter.counters.partsCutByLimit > 10);
});

test("a flood of frames of the same time and of audio without video stays bounded", () => {
  const { window, segmenter } = world({ partUnitsMax: 8 });
  segmenter.configure([videoTrack, audioTrack]);
  segmenter.push(unit("video", 0, true));
  for (let i = 0; i < 1000; i++) segmenter.push(unit("audio", 1, true));
  assert.equal(segmenter.counters.audioDropped, 992);
  for (let i = 0; i < 100; i++) segmenter.push(unit("video", 0));
  assert.equal(segmenter.counters.disorder, 100);
  assert.equal(window.listed[0]!.parts.length, 12);
});

test("nothing is published before the first key frame", () => {
  const { window, segmenter } = world();
  segmenter.configure([videoTrack]);
  for (let ms = 0; ms < 500; ms += 33) segmenter.push(unit("video", ms));
  assert.equal(window.version, 0);
  assert.equal(segmenter.counters.beforeKeyframe, 16);
  segmenter.push(unit("video", 500, true));
  for (let ms = 533; ms < 800; ms += 33) segmenter.push(unit("video", ms));
  assert.equal(window.listed[0]!.date, EPOCH + 500);
});

test("audio that announces itself just after video belongs to the beginning; later it makes a discontinuity", () => {
  const early = world();
  early.segmenter.configure([videoTrack]);
  early.segmenter.push(unit("video", 0, true));
  early.segmenter.configure([videoTrack, audioTrack]);
  for (const each of encode({ framesPerSecond: 30, keyframeEvery: 60, seconds: 5, audio: true, startMs: 33 })) early.segmenter.push(each);
  assert.deepEqual(
    early.window.listed.map(({ discontinuity, init }) => [discontinuity, init]),
    Array.from(early.window.listed, () => [false, 0]),
  );
  const soundFirst = world();
  soundFirst.segmenter.configure([audioTrack]);
  soundFirst.segmenter.push(unit("audio", 0, true));
  soundFirst.segmenter.configure([videoTrack, audioTrack]);
  for (const each of encode({ framesPerSecond: 30, keyframeEvery: 60, seconds: 1, audio: true, startMs: 33 }))
    soundFirst.segmenter.push(each);
  assert.deepEqual(
    soundFirst.window.listed.map(({ discontinuity, init, date }) => [discontinuity, init, date]),
    [[false, 0, EPOCH]],
  );
  const late = world();
  late.segmenter.configure([videoTrack]);
  for (const each of encode({ framesPerSecond: 30, keyframeEvery: 60, seconds: 3 })) late.segmenter.push(each);
  late.segmenter.configure([videoTrack, audioTrack]);
  for (const each of encode({ framesPerSecond: 30, keyframeEvery: 60, seconds: 3, startMs: 3000, audio: true })) late.segmenter.push(each);
  assert.deepEqual(
    late.window.listed.map(({ discontinuity, init }) => [discontinuity, init]),
    [
      [false, 0],
      [false, 0],
      [true, 1],
      [false, 1],
    ],
  );
});

test("the same configuration said again changes nothing", () => {
  const { window, segmenter } = world();
  segmenter.configure([videoTrack]);
  for (const each of encode({ framesPerSecond: 30, keyframeEvery: 60, seconds: 5 })) {
    segmenter.configure([{ ...videoTrack, configuration: Uint8Array.from(videoTrack.configuration) }]);
    segmenter.push(each);
  }
  assert.deepEqual(
    window.listed.map(({ discontinuity }) => discontinuity),
    [false, false, false],
  );
});

test("a jump of the stream's clock, forth or back, is a discontinuity that begins with a key frame", () => {
  for (const startMs of [100_000, 0]) {
    const { window, segmenter } = world();
    segmenter.configure([videoTrack]);
    for (const each of encode({ framesPerSecond: 30, keyframeEvery: 60, seconds: 3, startMs: 50_000 })) segmenter.push(each);
    for (const each of encode({ framesPerSecond: 30, keyframeEvery: 60, seconds: 3, startMs, arrival: EPOCH + 60_000 }))
      segmenter.push(each);
    assert.equal(segmenter.counters.discontinuities, 1);
    assert.deepEqual(
      window.listed.map(({ discontinuity, duration }) => [discontinuity, Math.round(duration / 1000)]),
      [
        [false, 2000],
        [false, 1001],
        [true, 2000],
        [false, 800],
      ],
    );
    assert.equal(window.listed[2]!.date, EPOCH + 60_000);
  }
});

test("video that pauses while audio goes on stays on the timeline: its last frame stands longer", () => {
  const { window, segmenter } = world();
  segmenter.configure([videoTrack, audioTrack]);
  for (const each of encode({ framesPerSecond: 30, keyframeEvery: 60, seconds: 5, audio: true })) {
    const ms = each.dts / 1000;
    if (each.kind === "audio" || ms < 500 || ms > 1800) segmenter.push(each);
  }
  assert.equal(segmenter.counters.discontinuities, 0);
  assert.equal(segmenter.counters.partsLong, 1);
  assert.equal(Math.round(window.listed[0]!.duration / 1000), 2000);
});

test("the end of a stream publishes what waits; the next stream is a discontinuity under rising numbers", () => {
  const { window, segmenter } = run({ framesPerSecond: 30, keyframeEvery: 60, seconds: 2.5 });
  segmenter.end();
  assert.deepEqual(
    window.listed.map(({ msn, duration }) => [msn, Math.round(duration / 1000)]),
    [
      [100, 2000],
      [101, 501],
    ],
  );
  const again = new Segmenter(window, segmenterDefaults);
  again.configure([videoTrack]);
  for (const each of encode({ framesPerSecond: 30, keyframeEvery: 60, seconds: 1 })) again.push(each);
  assert.deepEqual(
    window.listed.map(({ msn, discontinuity, init }) => [msn, discontinuity, init]),
    [
      [100, false, 0],
      [101, false, 0],
      [102, true, 1],
    ],
  );
});

test("audio alone is cut by its own frames", () => {
  const { window, segmenter } = world();
  segmenter.configure([audioTrack]);
  for (const each of encode({ framesPerSecond: 30, keyframeEvery: 60, seconds: 5, audio: true })) segmenter.push(each);
  assert.equal(shape(window).replace(/, parts.*/, ""), "target 194, segments 2005 2006");
  assert.equal(segmenter.counters.partsLong + segmenter.counters.partsShort, 0);
});

test("an encoder that was held up and sends what it made in a burst is dated by what comes in time behind it; a stream in time is held no longer than a part", () => {
  const second = 30;
  for (const held of [0, 0.2, 1.3, 1.9]) {
    const { window, segmenter } = world();
    segmenter.configure([videoTrack]);
    let published = Number.NaN;
    const units = encode({ framesPerSecond: second, keyframeEvery: 60, seconds: 9 });
    for (const each of units) {
      // Four times as fast as time passes until the backlog is sent.
      const due = EPOCH + each.dts / 1000;
      const arrival = Math.max(due, EPOCH + held * 1000 + each.dts / 4000);
      segmenter.push({ ...each, arrival });
      if (Number.isNaN(published) && window.listed.length > 0) published = arrival - EPOCH;
    }
    const dates = window.listed.map(({ date }) => date - EPOCH);
    window.listed.forEach(({ date }, i) => {
      assert.ok(Math.abs(date - EPOCH - i * 2000) < 15, `held up ${held} s: ${dates.join(" ")}`);
    });
    assert.ok(published <= Math.max(250, (held * 4000) / 3 + 150), `held up ${held} s: published after ${published} ms`);
  }
});

test("a backlog that comes in pieces is one backlog", () => {
  const { window, segmenter } = world();
  segmenter.configure([videoTrack]);
  // As over a link that is being learnt: three frames, a pause, twenty at once, a pause, the rest.
  const sent = [0, 10, 40, ...Array<number>(4).fill(140), ...Array<number>(20).fill(440), ...Array<number>(6).fill(780)];
  for (const [i, each] of [...encode({ framesPerSecond: 30, keyframeEvery: 60, seconds: 9 })].entries())
    segmenter.push({ ...each, arrival: EPOCH + Math.max(sent[i] ?? 0, each.dts / 1000) });
  for (const [i, { date }] of window.listed.entries())
    assert.ok(Math.abs(date - EPOCH - i * 2000) < 15, `segment ${i}: ${date - EPOCH} ms`);
});

test("dates never contradict durations by more than a fiftieth, however late it turns out how late the beginning was", () => {
  const { window, segmenter } = world();
  segmenter.configure([videoTrack]);
  // Five seconds late, and gaining a fifth.
  for (const each of encode({ framesPerSecond: 30, keyframeEvery: 60, seconds: 60 }))
    segmenter.push({ ...each, arrival: Math.max(EPOCH + each.dts / 1000, EPOCH + 5000 + each.dts / 1200) });
  const { listed } = window;
  for (let i = 1; i < listed.length; i++) {
    const step = listed[i]!.date - listed[i - 1]!.date;
    assert.ok(Math.abs(step - 2000) <= 40.001, `segment ${i}: ${step} ms after the one before`);
  }
  assert.ok(listed[0]!.date - listed.at(-1)!.date + (listed.length - 1) * 2000 > 900, "and they come nearer to what is right");
});
