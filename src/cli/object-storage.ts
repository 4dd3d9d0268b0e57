/** Options that say where objects are kept: a folder, or a store that speaks S3. */

import { ConfigError } from "../base/errors.ts";
import { S3Storage } from "../control/live/s3-storage.ts";
import { FolderStorage, type Storage } from "../control/live/storage.ts";

export interface StoragePlace {
  /** The option; those for the store's credentials are called after it: recordingskey, recordingssecret, recordingsregion. */
  readonly option: string;
  readonly given: string;
  /** Where nothing is given. */
  readonly folder: string;
  readonly key: string;
  readonly secret: string;
  readonly region: string;
}

/** @throws ConfigError */
export function openStorage(place: StoragePlace): Storage {
  const { option, given, folder, key, secret, region } = place;
  if (!/^https?:\/\//.test(given)) return new FolderStorage(given === "" ? folder : given);
  if (!URL.canParse(given)) throw new ConfigError(option, `--${option}: "${given}" is no address`);
  if (key === "" || secret === "")
    throw new ConfigError(`${option}key`, `--${option}key, --${option}secret: a store that speaks S3 needs both`);
  return new S3Storage({ endpoint: given, region, accessKeyId: key, secretAccessKey: secret });
}
