/** A stream key is shown once, when it is made, with what an encoder is told; a new one replaces the old. */
import type * as ivs from "@aws-sdk/client-ivs";
import { ivsCall } from "./control-calls.ts";
import { copyable } from "./copyable.ts";
import { build } from "./text.ts";

/** The key and where to publish with it. `rtmps`: the address for RTMPS. */
export function shownKey(channel: ivs.Channel, key: string, rtmps: string | undefined): HTMLElement {
  const box = build("div", "key", "");
  const ways: (readonly [string, string])[] = [["Stream key", key]];
  if (rtmps !== undefined) ways.push(["RTMPS server", rtmps]);
  const { endpoint, passphrase } = channel.srt ?? {};
  if (endpoint !== undefined) ways.push(["SRT", `${endpoint}?streamid=${key}&passphrase=${passphrase}`]);
  box.append(build("p", "warn", "Copy the key now: it is not shown again."), ...ways.map(([label, text]) => copyable(label, text)));
  return box;
}

/** The channel's only key is deleted and another made; who publishes goes on until it ends. */
export async function rotate(channel: ivs.Channel): Promise<string> {
  const channelArn = channel.arn!;
  const { streamKeys = [] } = await ivsCall<ivs.ListStreamKeysResponse>("ListStreamKeys", { channelArn });
  for (const { arn } of streamKeys) await ivsCall("DeleteStreamKey", { arn });
  const { streamKey } = await ivsCall<ivs.CreateStreamKeyResponse>("CreateStreamKey", { channelArn });
  return streamKey!.value!;
}
