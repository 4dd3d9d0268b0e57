/** Tags as this API writes them: a list of Key and Value. */
import { TAGS_MAX, type Tags } from "../tags.ts";
import type { Level } from "./arn.ts";
import { invalidArgument } from "./exceptions.ts";
import { wrongSetting } from "./tag-settings.ts";

export interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/** @throws ServiceError for a key twice, AWS's own keys, too many of them, or a setting of ours that is wrong */
export function checkedTags(given: readonly Tag[], level: Level): Tags {
  const tags: Tags = Object.fromEntries(given.map(({ Key, Value }) => [Key, Value]));
  if (Object.keys(tags).length < given.length) throw invalidArgument("a tag key is given twice");
  if (given.length > TAGS_MAX) throw invalidArgument(`a resource has at most ${TAGS_MAX} tags`);
  for (const { Key, Value } of given) {
    if (/^aws:/i.test(Key)) throw invalidArgument(`tag keys that begin with aws: are reserved: ${Key}`);
    const wrong = wrongSetting(level, Key, Value);
    if (wrong !== undefined) throw invalidArgument(wrong);
  }
  return tags;
}

export const tagList = (tags: Tags): Tag[] => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
