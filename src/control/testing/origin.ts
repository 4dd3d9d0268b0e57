/** A real origin under a test's installation, without sockets, and the demo as what is published to it. */
import type { TestContext } from "node:test";
import { silentLog } from "../../host/log.ts";
import { NodeLoop } from "../../host/loop-node.ts";
import type { Channel } from "../../live/channel.ts";
import { liveConfig } from "../../live/config.ts";
import { Origin } from "../../live/origin.ts";
import { demoFile } from "../../live/testing/encoder.ts";
import { FlvReader, firstTag } from "../../media/flv/tag.ts";
import { FlvToUnit } from "../../media/flv/to-unit.ts";
import type { Track } from "../../media/unit.ts";
import { InstallationOrigin, type InstallationOriginOptions } from "../live/installation-origin.ts";
import type { Installation } from "./installation.ts";

export async function originUnder(t: TestContext, { context }: Installation, options: InstallationOriginOptions = {}) {
  const loop = new NodeLoop();
  const origin = new Origin(liveConfig.parse({}), loop, silentLog);
  const live = new InstallationOrigin(origin, context, silentLog, options);
  await live.start();
  t.after(async () => {
    await live.close();
    origin.close();
    loop.stop();
  });
  return { origin, live };
}

/** An encoder begins, and sends all of the demo at once, or as time passes. */
export function publishDemo(channel: Channel, now: number, change: (track: Track) => Track = (track) => track, timely = false): void {
  channel.start(now);
  const flv = new FlvToUnit();
  const reader = new FlvReader(demoFile, firstTag(demoFile));
  const tracks: Track[] = [];
  while (reader.next()) {
    flv.receive(reader.type, reader.timestamp, demoFile.slice(reader.start, reader.end), now + (timely ? reader.timestamp : 0));
    for (let event = flv.event(); event !== undefined; event = flv.event()) {
      if (event.kind === "track") {
        tracks.push(change(event.track));
        channel.configure([...tracks]);
      } else if (event.kind === "unit") channel.push(now, event.unit);
    }
  }
}
