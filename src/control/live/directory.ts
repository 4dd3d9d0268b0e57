/**
 * What is stored about channels, held in memory for decisions that cannot wait for a database, and told to the origin: which channels there are and whose key
 * opens them. Read whole whenever the store's revision has grown, by this process or another.
 */
import type { Log } from "../../host/log.ts";
import type { Origin } from "../../live/origin.ts";
import { idOf } from "../ivs/arn.ts";
import { passphrasePurpose } from "../ivs/channel-view.ts";
import type { IvsContext } from "../ivs/context.ts";
import type { RestrictionSettings } from "../ivs/playback-restriction-policies.ts";
import type { RecordingSettings } from "../ivs/recording-configurations.ts";
import { keyPurpose } from "../ivs/stream-keys.ts";
import { revisionOf } from "../store/database.ts";
import type { ChannelRow } from "../store/schema.ts";

/** Milliseconds between two parts in latency mode NORMAL, where players buffer whole segments. */
const NORMAL_PART_MS = 1000;

export interface KnownRecording {
  readonly arn: string;
  readonly name: string;
  readonly settings: RecordingSettings;
}

export interface KnownChannel {
  readonly row: ChannelRow;
  readonly policy: RestrictionSettings | undefined;
  readonly recording: KnownRecording | undefined;
  /** Viewer → sessions of this version and older ones are over. */
  readonly revoked: ReadonlyMap<string, number>;
}

export class Directory {
  readonly #context: Pick<IvsContext, "database" | "seal" | "place">;
  readonly #origin: Origin;
  readonly #log: Log;
  #revision = -1;
  #channels: ReadonlyMap<string, KnownChannel> = new Map();
  #playbackKeys: readonly string[] = [];
  #reading: Promise<void> = Promise.resolve();

  constructor(context: Pick<IvsContext, "database" | "seal" | "place">, origin: Origin, log: Log) {
    this.#context = context;
    this.#origin = origin;
    this.#log = log;
  }

  channel(id: string): KnownChannel | undefined {
    return this.#channels.get(id);
  }

  /** What SRT streams to it are encrypted with; empty: there is no such channel. */
  passphrase(id: string): string {
    const row = this.#channels.get(id)?.row;
    return row === undefined ? "" : this.#context.seal.open(passphrasePurpose(id), row.srt_passphrase_sealed);
  }

  /** PEM of the public keys that playback tokens may be signed with. */
  get playbackKeys(): readonly string[] {
    return this.#playbackKeys;
  }

  /** Reads what changed; one reading at a time, in the order asked. */
  refresh(): Promise<void> {
    this.#reading = this.#reading.then(() => this.#read());
    return this.#reading;
  }

  async #read(): Promise<void> {
    const { database } = this.#context;
    const number = await revisionOf(database, "live");
    if (number === this.#revision) return;
    const [rows, keys, policies, recordings, revocations, playbackKeys] = await Promise.all([
      database.selectFrom("channels").selectAll().execute(),
      database.selectFrom("stream_keys").selectAll().execute(),
      database.selectFrom("playback_restriction_policies").selectAll().execute(),
      database.selectFrom("recording_configurations").selectAll().execute(),
      database.selectFrom("viewer_revocations").selectAll().execute(),
      database.selectFrom("playback_key_pairs").select("public_key").execute(),
    ]);
    const policyOf = new Map(policies.map(({ id, settings }) => [id, JSON.parse(settings) as RestrictionSettings]));
    const recordingOf = new Map(
      recordings.map(({ id, name, settings }) => [id, { name, settings: JSON.parse(settings) as RecordingSettings }]),
    );
    const revoked = new Map<string, Map<string, number>>();
    for (const { channel_id, viewer_id, version } of revocations)
      revoked.set(channel_id, (revoked.get(channel_id) ?? new Map()).set(viewer_id, version));
    const known = new Map<string, KnownChannel>();
    for (const row of rows) {
      const policy = policyOf.get(idOf(this.#context.place, "playback-restriction-policy", row.playback_restriction_policy) ?? "");
      const recorded = recordingOf.get(idOf(this.#context.place, "recording-configuration", row.recording_configuration) ?? "");
      const recording = recorded === undefined ? undefined : { arn: row.recording_configuration, ...recorded };
      known.set(row.id, { row, policy, recording, revoked: revoked.get(row.id) ?? new Map() });
    }
    this.#tell(known, new Map(keys.map((key) => [key.channel_id, this.#context.seal.open(keyPurpose(key.id), key.value_sealed)])));
    this.#channels = known;
    this.#playbackKeys = playbackKeys.map(({ public_key }) => public_key);
    this.#revision = number;
    this.#log.debug({ revision: number, channels: known.size }, "channels read");
  }

  #tell(known: ReadonlyMap<string, KnownChannel>, keys: ReadonlyMap<string, string>): void {
    for (const [id, { row }] of this.#channels) {
      const now = known.get(id)?.row;
      if (now === undefined || now.latency_mode !== row.latency_mode) this.#origin.drop(id);
    }
    for (const [id, { row }] of known) this.#origin.open(id, keys.get(id), row.latency_mode === "NORMAL" ? { part: NORMAL_PART_MS } : {});
  }
}
