/** What users of one server must not have in common. Apart from their schema (user-config.ts), which the threads of a tunnel do not load. */
import { ConfigError } from "../base/errors.ts";
import type { CipherName } from "../cipher/names.ts";
import type { UserConfig } from "./user-config.ts";

/** Tuning: most users of a server. Each try of a stranger's datagram costs a decryption. */
export const USERS_MAX = 4096;

/** Checks users that stand together. @throws ConfigError with one sentence, never with a key in it */
export function checkUsers(users: readonly UserConfig[], crypt: CipherName): void {
  if (users.length > USERS_MAX) throw new ConfigError("users", `--users: ${users.length} users are not allowed; give at most ${USERS_MAX}`);
  const names = new Set<string>();
  const locks = new Map<string, string>();
  for (const user of users) {
    const cipher = user.crypt ?? crypt;
    if (users.length > 1 && (cipher === "none" || cipher === "null")) {
      throw new ConfigError(
        "users",
        `--users: "${user.name}" has crypt ${cipher}, by which users cannot be told apart; give any other cipher`,
      );
    }
    if (names.has(user.name))
      throw new ConfigError("users", `--users: the name "${user.name}" is given twice; give each user a name of its own`);
    names.add(user.name);
    const lock = `${cipher}\n${user.key}`;
    const other = locks.get(lock);
    if (other !== undefined) {
      throw new ConfigError("users", `--users: "${other}" and "${user.name}" have the same key and crypt; give each user a key of its own`);
    }
    locks.set(lock, user.name);
  }
}
