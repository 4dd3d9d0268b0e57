/** What every operation of IVS works with. */
import type { Seal } from "../seal.ts";
import type { Database } from "../store/database.ts";
import type { Place } from "./arn.ts";
import type { LiveService } from "./live-service.ts";

export interface IvsContext {
  readonly database: Database;
  readonly seal: Seal;
  readonly place: Place;
  readonly live: LiveService;
  /** Where encoders and viewers reach this installation. */
  readonly hosts: {
    /** Host name, as `ingestEndpoint` of a channel. */
    readonly ingest: string;
    /** http://host:port, what playback addresses begin with. */
    readonly playback: string;
    /** srt://host:port, or empty where there is none. */
    readonly srt: string;
  };
  readonly quotas: Quotas;
  /** Unix ms. */
  now(): number;
}

/** Most of each kind; `longhaul live --help` says how to change them. */
export interface Quotas {
  readonly channels: number;
  readonly playbackKeyPairs: number;
  readonly recordingConfigurations: number;
  readonly playbackRestrictionPolicies: number;
}

export const quotaDefaults: Quotas = { channels: 5000, playbackKeyPairs: 10, recordingConfigurations: 20, playbackRestrictionPolicies: 20 };
