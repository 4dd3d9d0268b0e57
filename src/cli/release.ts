/** The release this is, as package.json names it. */
import { readFileSync } from "node:fs";

export function release(): string {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };
  return version;
}
