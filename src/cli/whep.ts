/**
 * WHEP out of the live origin: a browser watches a channel by WebRTC, with less delay than LL-HLS can have.
 *
 *   POST /whep/<channel> ─▶ Peer ◀─ Playout ◀─ tracks, units ─ Channel
 *
 * Of audio only Opus goes this way, as browsers decode no AAC from RTP: viewers of an RTMP encoder see and do not hear.
 */
import { randomBytes, randomUUID } from "node:crypto";
import type { Hono } from "hono";
import type { Log } from "../host/log.ts";
import type { Channel, ChannelListener } from "../live/channel.ts";
import { viewerOf } from "../live/delivery.ts";
import type { Origin } from "../live/origin.ts";
import { openGate, type PlaybackGate } from "../live/playback-gate.ts";
import type { Peers } from "../webrtc/peers.ts";
import { Playout } from "../webrtc/playout.ts";
import { type Admitted, type Refused, signalling } from "../webrtc/signalling.ts";

/** Room above the encoder's mean, so that the first key frame is soon there. */
const START_SHARE = 1.5;
const START_MIN = 300_000;

export interface WhepOptions {
  readonly origin: Origin;
  readonly peers: Peers;
  readonly log: Log;
  readonly gate?: PlaybackGate | undefined;
}

export function whep({ origin, peers, log, gate = openGate }: WhepOptions): Hono {
  return signalling({
    peers,
    path: "/whep",
    token: false,
    admit: async (name, _token, context) => {
      const channel = origin.channels.get(name);
      if (channel === undefined) return { status: 404, reason: "no such channel" };
      if (!channel.live) return { status: 404, reason: "the channel is off the air" };
      const admission = await gate.begin(channel, viewerOf(context));
      if ("reason" in admission) return admission;
      const video = channel.tracks.find((track) => track.kind === "video");
      if (video !== undefined && video.width * video.height > (admission.pixels ?? Number.POSITIVE_INFINITY))
        return { status: 403, reason: "the token is for smaller pictures, which there are by LL-HLS only" };
      return view(origin, channel, log);
    },
    secret: randomUUID,
    seed: () => randomBytes(4).readUInt32LE(),
  });
}

function view(origin: Origin, channel: Channel, log: Log): Admitted | Refused {
  const playout = new Playout(() => channel.requestKeyFrame());
  const listener: ChannelListener = {
    tracks: (tracks) => playout.tracks(tracks),
    unit: (unit) => playout.unit(unit),
    ended() {},
  };
  const startBitrate = Math.max(START_MIN, START_SHARE * channel.bitsPerSecond(origin.now()));
  return {
    options: {
      policy: { encodings: { video: ["H264"], audio: ["opus"] } },
      source: (section) => playout.source(section, channel.tracks),
      sender: { startBitrate },
    },
    opened(peer) {
      playout.start(peer, channel.tracks);
      channel.listeners.add(listener);
      log.info({ channel: channel.name, protocol: "whep" }, "viewer watches");
    },
    ended(reason) {
      channel.listeners.delete(listener);
      log.info({ channel: channel.name, protocol: "whep", reason }, "viewer left");
    },
  };
}
