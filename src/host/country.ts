/** Which country an address is of, from a MaxMind DB file; whoever runs the origin brings the file, for their licences differ. */
import { readFileSync } from "node:fs";
import { type CountryResponse, Reader } from "mmdb-lib";
import { ConfigError } from "../base/errors.ts";

export type CountryOf = (address: string) => string | undefined;

/** ISO 3166-1 alpha-2, undefined where it is not known. `path` empty: of nobody. @throws ConfigError when the file cannot be used */
export function countriesFrom(path: string): CountryOf {
  if (path === "") return () => undefined;
  let reader: Reader<CountryResponse>;
  try {
    reader = new Reader<CountryResponse>(readFileSync(path));
  } catch (error) {
    throw new ConfigError("countries", `--countries: "${path}" is not a MaxMind DB file that can be read (${(error as Error).message})`);
  }
  return (address) => {
    try {
      return reader.get(address.replace(/^::ffff:(?=\d+\.)/, ""))?.country?.iso_code;
    } catch {
      return undefined;
    }
  };
}
