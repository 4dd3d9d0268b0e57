/** A channel's row as the API shows it. */
import type { ChannelRow } from "../store/schema.ts";
import type { Tags } from "../tags.ts";
import { arnOf } from "./arn.ts";
import type { IvsContext } from "./context.ts";

export function channelView(context: IvsContext, row: ChannelRow, tags: Tags) {
  const { place, hosts, seal } = context;
  return {
    ...channelSummary(context, row, tags),
    ingestEndpoint: hosts.ingest,
    playbackUrl: playbackUrl(context, row.id),
    containerFormat: row.container_format,
    ...(row.multitrack === "" ? {} : { multitrackInputConfiguration: JSON.parse(row.multitrack) as object }),
    ...(hosts.srt === ""
      ? {}
      : { srt: { endpoint: hosts.srt, passphrase: seal.open(passphrasePurpose(row.id), row.srt_passphrase_sealed) } }),
    arn: arnOf(place, "channel", row.id),
  };
}

/** As in lists. */
export function channelSummary({ place }: IvsContext, row: ChannelRow, tags: Tags) {
  return {
    arn: arnOf(place, "channel", row.id),
    name: row.name,
    latencyMode: row.latency_mode,
    type: row.type,
    preset: row.preset,
    authorized: row.authorized === 1,
    insecureIngest: row.insecure_ingest === 1,
    recordingConfigurationArn: row.recording_configuration,
    playbackRestrictionPolicyArn: row.playback_restriction_policy,
    adConfigurationArn: "",
    tags,
  };
}

export function playbackUrl({ place, hosts }: IvsContext, id: string): string {
  return `${hosts.playback}${playbackPath(place.region, place.account, id)}`;
}

export function playbackPath(region: string, account: string, id: string): string {
  return `/api/video/v1/${region}.${account}.channel.${id}.m3u8`;
}

export function passphrasePurpose(id: string): string {
  return `srt-passphrase/${id}`;
}
