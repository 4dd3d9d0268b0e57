import assert from "node:assert/strict";
import { test } from "node:test";
import { ascii, unicode } from "./glyphs.ts";
import { type Line, widthOf } from "./line.ts";
import { onceLines } from "./once.ts";
import { Painter, paintLine } from "./paint.ts";
import { ProcessTrack } from "./process-track.ts";
import { type Picture, screen } from "./screen.ts";
import { sessionStatus, status } from "./testing/statuses.ts";
import { View } from "./view.ts";

/** A server with two sessions, one of them at work, seen twice. */
function track(): ProcessTrack {
  const process = new ProcessTrack("/run/x.sock");
  const idle = sessionStatus({ key: "0.2", peer: "[2001:db8::77]:52100", rttLeastMs: -1, fecDataShards: 0, fecRecovered: 0, seconds: 3 });
  process.update(status({ sessions: [sessionStatus(), idle] }));
  const busy = sessionStatus({
    ...{ sentPayloadBytes: 1_250_000, receivedPayloadBytes: 12_500, sentBytes: 1_700_000, receivedBytes: 60_000 },
    ...{
      sentSegments: 2000,
      resentSegments: 70,
      fecDataShards: 1950,
      fecRecovered: 70,
      rttMs: 230,
      inFlightSegments: 128,
      waitingSegments: 130,
    },
  });
  process.update(
    status({
      ...{ observedMs: 2000, now: 1_000_001_000, cpuSeconds: 1.12, rtt: { counts: [10, 0], sumMs: 2300 } },
      ...{ sessions: [busy, { ...idle, seconds: 4 }], counters: { smux: { bytesOut: 1_250_000, bytesIn: 12_500 } } },
      streams: [
        {
          sid: 3,
          remote: "127.0.0.1:1935",
          seconds: 60,
          idleSeconds: 0,
          sentBytes: 1e6,
          receivedBytes: 1e4,
          backlogBytes: 0,
          state: "open",
        },
      ],
    }),
  );
  return process;
}

function text(lines: readonly Line[]): string[] {
  return lines.map((line) => paintLine(line, "text").trimEnd());
}

function picture(given: Partial<Picture> = {}): Picture {
  return { processes: [track()], view: new View(), glyphs: unicode, clock: "12:00:00", ...given };
}

test("80 columns: the least important columns are left out", () => {
  assert.deepEqual(text(screen(picture(), 80, 11)), [
    "longhaul top · 1 process                                                12:00:00",
    "ROLE       PID LISTENS        CONNECTS TO        UP SESS STRM ↑BIT/S ↓BIT/S  CPU",
    "server    4711 :29900         127.0.0.1:1935   1h00    2    4  10.0M   100k  12%",
    "",
    "↑ 10.0M                  █ ↓  100k                  █ RTT  230                 █",
    "",
    "PEER                    RTT LOSS RESENT ↑BIT/S ↓BIT/S    FLIGHT  FEC STRM    AGE",
    "198.51.100.7:4000       230 5.0%   6.0%  10.0M   100k   128/128 100%    2   1m40",
    "[2001:db8::77]:52100      -    -      -      0      0    10/128    -    2     4s",
    "",
    " q  quit  ?  help  up/down  select  enter  streams  s  sort: rate  r  reverse  p",
  ]);
});

test("wide: every column; narrow: what must be, cut at the edge; low: the footer stays", () => {
  const wide = text(screen(picture(), 140, 12));
  for (const title of ["RTT", "JIT", "LOSS", "RESENT", "W/P", "FLIGHT", "FEC", "STRM", "AGE"]) assert.ok(wide[6]!.includes(title), title);
  assert.ok(wide[8]!.includes("[2001:db8::77]:52100"));
  for (const [width, height] of [
    [140, 40],
    [80, 24],
    [40, 8],
    [10, 3],
    [1, 1],
  ] as const) {
    const lines = screen(picture(), width, height);
    assert.equal(lines.length, height);
    assert.ok(
      lines.every((line) => widthOf(line) === width),
      `${width}×${height}`,
    );
    if (width > 1) assert.ok(text(lines).at(-1)!.startsWith(" q"));
  }
});

test("one session: its figures and its streams", () => {
  const view = new View();
  const processes = [track()];
  view.press("enter", processes);
  const lines = text(screen(picture({ view, processes }), 80, 24));
  assert.deepEqual(lines.slice(4, 10), [
    "198.51.100.7:4000  session 0.1 of server 4711",
    "age 1m40   heard 0.1 s ago   streams 2",
    "round trip 230 ms   least 200   jitter 3   resend after 280",
    "in flight 128 of 128   waiting 2   peer's window 512",
    "lost on the way here 5.0%   rebuilt by FEC 100%   sent again 6.0%   came twice 1",
    "payload ↑ 1.25MB ↓ 12.5kB   wire ↑ 1.70MB ↓ 60.0kB",
  ]);
  assert.deepEqual(lines.slice(15, 18), [
    " STREAM WITH            ↑BIT/S ↓BIT/S  SENT RECVD STUCK   IDLE    AGE STATE",
    "      3 127.0.0.1:1935       -      - 1.00M 10.0k     0     0s   1m00 open",
    "1 more",
  ]);
});

test("a process that does not answer says why; many sessions scroll with the selection; many processes are counted", () => {
  const dead = new ProcessTrack("far:9100");
  dead.failed("nothing listens there");
  assert.ok(text(screen(picture({ processes: [dead] }), 80, 10))[2]!.startsWith("far:9100: nothing listens there"));
  const many = new ProcessTrack("x");
  many.update(
    status({
      sessions: Array.from({ length: 50 }, (_, i) => sessionStatus({ key: `0.${i}`, peer: `peer${String(i).padStart(2, "0")}` })),
      sessionsOmitted: 7,
    }),
  );
  const view = new View();
  view.order = "peer";
  for (let i = 0; i < 30; i++) view.press("down", [many]);
  const lines = text(screen(picture({ processes: [many], view }), 80, 24));
  assert.ok(lines.some((line) => line.startsWith("peer30")) && !lines.some((line) => line.startsWith("peer00")));
  assert.ok(
    lines.some((line) => /^\d+ to \d+ of 57 sessions$/.test(line)),
    lines.join("\n"),
  );
  assert.ok(text(screen(picture({ processes: Array.from({ length: 9 }, () => dead) }), 80, 24)).includes("4 more"));
});

test("nothing a peer is called reaches the terminal as a command or in two columns; ASCII where the locale is", () => {
  const process = new ProcessTrack("x");
  process.update(status({ at: "\x1b]0;x\x07", sessions: [sessionStatus({ peer: "a\x1b[2Jb", user: "名前" })] }));
  const lines = text(screen(picture({ processes: [process], glyphs: ascii }), 140, 12));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
  assert.doesNotMatch(lines.join("\n"), /[\x00-\x09\x0b-\x1f]/);
  assert.ok(lines[7]!.startsWith("a?[2Jb") && lines[7]!.includes("??"));
  assert.doesNotMatch(text(screen(picture({ glyphs: ascii }), 80, 24)).join("\n"), /[^\x20-\x7e\n]/);
});

test("once: both tables as wide as they need, without escapes", () => {
  const lines = text(onceLines([track()], unicode, 200));
  assert.deepEqual([lines.length, lines[2]], [6, ""]);
  assert.ok(lines[1]!.includes("4711") && lines[4]!.includes("198.51.100.7:4000"));
});

test("the painter writes only lines that changed, and all of them after a resize", () => {
  const painter = new Painter("colours");
  const line = (content: string): Line => [{ text: content, style: "bad" }];
  assert.ok(painter.paint([line("a"), line("b")]).includes("\x1b[2J"));
  assert.equal(painter.paint([line("a"), line("b")]), "");
  assert.equal(painter.paint([line("a"), line("c")]), "\x1b[?2026h\x1b[2;1H\x1b[31;1mc\x1b[0m\x1b[?2026l");
  painter.forget();
  assert.ok(painter.paint([line("a"), line("c")]).includes("\x1b[1;1H"));
  assert.equal(paintLine(line("x"), "styles"), "\x1b[1mx\x1b[0m", "NO_COLOR: no colours, but still bold");
});
