/** The operations of IVS's low-latency API, all 41, by name. */
import type { Operation } from "../aws/operation.ts";
import { adOperations } from "./ads.ts";
import { channelOperations } from "./channels.ts";
import type { IvsContext } from "./context.ts";
import { playbackKeyPairOperations } from "./playback-key-pairs.ts";
import { playbackRestrictionPolicyOperations } from "./playback-restriction-policies.ts";
import { recordingConfigurationOperations } from "./recording-configurations.ts";
import { streamKeyOperations } from "./stream-keys.ts";
import { streamSessionOperations } from "./stream-sessions.ts";
import { streamOperations } from "./streams.ts";
import { tagOperations } from "./tags.ts";
import { viewerSessionOperations } from "./viewer-sessions.ts";

export const ivsOperations: Readonly<Record<string, Operation<IvsContext>>> = {
  ...channelOperations,
  ...streamKeyOperations,
  ...streamOperations,
  ...streamSessionOperations,
  ...playbackKeyPairOperations,
  ...playbackRestrictionPolicyOperations,
  ...recordingConfigurationOperations,
  ...viewerSessionOperations,
  ...tagOperations,
  ...adOperations,
};
