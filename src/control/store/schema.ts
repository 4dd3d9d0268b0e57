/**
 * What is stored, table by table; the same for SQLite and for databases that speak PostgreSQL's protocol: texts and whole numbers only. Times are Unix
 * milliseconds, switches 0 or 1, `settings` and the like JSON. A column that ends in `_sealed` is encrypted (seal.ts): nobody who reads the database, or a
 * copy of it, learns a secret.
 */
import type { Generated } from "kysely";
import type { AcceleratorSchema } from "./accelerator-schema.ts";
import type { EdgeSchema } from "./edge-schema.ts";

export type { AcceleratorRow, ByoipCidrRow, EndpointGroupRow, EndpointRow, ListenerRow } from "./accelerator-schema.ts";

export interface Schema extends AcceleratorSchema, EdgeSchema {
  access_keys: AccessKeyRow;
  audit: AuditRow;
  tags: TagRow;
  channels: ChannelRow;
  stream_keys: StreamKeyRow;
  playback_key_pairs: PlaybackKeyPairRow;
  recording_configurations: ConfigurationRow;
  playback_restriction_policies: ConfigurationRow;
  stream_sessions: StreamSessionRow;
  stream_events: StreamEventRow;
  viewer_revocations: ViewerRevocationRow;
  revision: RevisionRow;
}

export interface AccessKeyRow {
  /** AKIA and 16 more. */
  id: string;
  secret_sealed: string;
  role: string;
  label: string;
  created_at: number;
}

export interface AuditRow {
  id: Generated<number>;
  at: number;
  access_key: string;
  operation: string;
  resource: string;
  /** "ok", or the error's code. */
  outcome: string;
}

export interface TagRow {
  arn: string;
  key: string;
  value: string;
}

export interface ChannelRow {
  /** 12 letters and digits, the last part of the ARN. */
  id: string;
  name: string;
  type: string;
  latency_mode: string;
  preset: string;
  authorized: number;
  insecure_ingest: number;
  container_format: string;
  /** MultitrackInputConfiguration as JSON, or empty. */
  multitrack: string;
  /** ARNs, or empty. */
  recording_configuration: string;
  playback_restriction_policy: string;
  srt_passphrase_sealed: string;
  created_at: number;
}

export interface StreamKeyRow {
  id: string;
  channel_id: string;
  value_sealed: string;
  created_at: number;
}

export interface PlaybackKeyPairRow {
  id: string;
  name: string;
  fingerprint: string;
  /** PEM. */
  public_key: string;
  created_at: number;
}

export interface ConfigurationRow {
  id: string;
  name: string;
  settings: string;
  created_at: number;
}

export interface StreamSessionRow {
  /** st- and 23 more. */
  id: string;
  channel_id: string;
  start_at: number;
  /** 0 while it goes on. */
  end_at: number;
  /** The channel as it was, what came in, where it was recorded: JSON, or empty. */
  channel: string;
  ingest: string;
  recording: string;
  has_error_event: number;
}

export interface StreamEventRow {
  id: Generated<number>;
  session_id: string;
  at: number;
  name: string;
  type: string;
  code: string;
}

export interface ViewerRevocationRow {
  channel_id: string;
  viewer_id: string;
  /** Sessions of this version and older ones are over. */
  version: number;
  at: number;
}

/** A row for each part of the installation: a number that grows with every change, by which other processes see that there was one. */
export interface RevisionRow {
  id: number;
  number: number;
}
