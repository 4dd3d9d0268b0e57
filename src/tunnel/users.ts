/**
 * All users of a server, whichever of its ports they come to: most recently found first, with the bounds on looking for them.
 *
 * A server without option users has one, without a name and without limits, whose key is option key.
 */
import { type Millis, NEVER } from "../base/units.ts";
import { createCipher, type Primitives } from "../cipher/cipher.ts";
import type { Primitives as QppPrimitives } from "../qpp/primitives.ts";
import type { ServerConfig } from "./config.ts";
import type { Keyring } from "./keyring.ts";
import type { Lock } from "./lock.ts";
import { padsOf } from "./pads.ts";
import type { Counts, Totals } from "./totals.ts";
import { User, type UserLimits, type UserReport } from "./user.ts";
import type { UserConfig } from "./user-config.ts";
import { UserLedger } from "./user-ledger.ts";
import { checkUsers } from "./user-list.ts";

const unlimited: UserLimits = { sessions: 0, streams: 0, rateup: 0, ratedown: 0, quota: 0 };

const PUBLISH_MS: Millis = 100;

/** A user with its row in a ledger that was made elsewhere. */
type ListedUser = UserConfig & { readonly row?: number };

/** Keys as they were given: whether a user's is another one after a reload. */
interface Entry {
  readonly lock: Lock;
  readonly key: string;
  readonly crypt: string;
  readonly pads: string;
}

export interface UsersChange {
  readonly added: string[];
  readonly removed: string[];
  /** Another key or cipher: for new sessions. */
  readonly rekeyed: string[];
  readonly limits: string[];
}

export class Users {
  /** Most recently found first. */
  readonly all: Lock[] = [];
  readonly keyrings: Keyring[] = [];
  readonly stats = { strangers: 0, unreadable: 0, tries: 0, triesRefused: 0 };
  triesPerDatagram = 0;
  #triesPerSecond = 0;
  readonly #primitives: Primitives & QppPrimitives;
  readonly #totals: Totals;
  readonly #ledger: UserLedger;
  #publishAt: Millis = NEVER;
  readonly #entries = new Map<string, Entry>();
  #nextRow = 0;
  #second: Millis = 0;
  #spent = 0;

  /** @throws ConfigError */
  constructor(
    now: Millis,
    config: ServerConfig,
    primitives: Primitives & QppPrimitives,
    totals: Totals,
    ledger: UserLedger = new UserLedger(),
  ) {
    this.#primitives = primitives;
    this.#ledger = ledger;
    this.#totals = totals;
    this.configure(now, config);
  }

  /** Whether they have names. */
  get named(): boolean {
    return !this.#entries.has("");
  }

  /** Takes over users, whose keys are in their places (cli/users-file.ts), and limits; sessions of users that are no more end. @throws ConfigError, and then nothing has changed */
  configure(now: Millis, config: ServerConfig): UsersChange {
    const listed = usersOf(config);
    checkUsers(listed, config.crypt);
    this.triesPerDatagram = config.triesonce;
    this.#triesPerSecond = config.tries;
    const change: UsersChange = { added: [], removed: [], rekeyed: [], limits: [] };
    const names = new Set(listed.map(({ name }) => name));
    for (const [name, { lock }] of this.#entries) {
      if (names.has(name)) continue;
      this.#entries.delete(name);
      this.#drop(lock);
      for (const session of lock.user.sessions) session.close(now, "the user was removed");
      change.removed.push(name);
    }
    for (const entry of listed) this.#take(now, config, entry, change);
    return change;
  }

  /** Whether one more decryption may be tried now. */
  spendTry(now: Millis): boolean {
    if (now - this.#second >= 1000) {
      this.#second = now;
      this.#spent = 0;
    }
    if (this.#spent >= this.#triesPerSecond) return false;
    this.#spent++;
    this.stats.tries++;
    return true;
  }

  /** The user at this place of `all` was found: it comes first. */
  found(at: number): void {
    const { all } = this;
    const lock = all[at]!;
    for (let i = at; i > 0; i--) all[i] = all[i - 1]!;
    all[0] = lock;
  }

  /** Once a round: other threads, and whoever keeps the accounts, hear of what has happened PUBLISH_MS later at most. Answers when it wants to be called. */
  advance(now: Millis): Millis {
    if (!this.named) return NEVER;
    if (now < this.#publishAt) {
      if (this.#publishAt === NEVER) this.#publishAt = now + PUBLISH_MS;
      return this.#publishAt;
    }
    this.#publishAt = NEVER;
    for (const { lock } of this.#entries.values()) if (lock.user.active) lock.user.publish(now);
    return NEVER;
  }

  /** Ends the sessions of users that have used up their quota. */
  sweep(now: Millis): void {
    for (const { lock } of this.#entries.values()) {
      const { user } = lock;
      if (user.sessions.size === 0 || !user.overQuota) continue;
      user.quotaExceeded++;
      for (const session of user.sessions) session.close(now, "the user's quota is used up");
    }
  }

  /** Of those that have a name, in the order of the configuration, at most so many. */
  report(most = Number.POSITIVE_INFINITY): UserReport[] {
    const reports: UserReport[] = [];
    if (this.named && most > 0) for (const { lock } of this.#entries.values()) if (reports.push(lock.user.report()) >= most) break;
    return reports;
  }

  /** For the totals. */
  counts(): Counts {
    const counts = { ...this.stats, sessionsRefused: 0, streamsRefused: 0, quotaExceeded: 0, rateWaits: 0 };
    for (const { lock } of this.#entries.values()) {
      const { user } = lock;
      counts.sessionsRefused += user.sessionsRefused;
      counts.streamsRefused += user.streamsRefused;
      counts.quotaExceeded += user.quotaExceeded;
      counts.rateWaits += user.up.waits + user.down.waits;
    }
    return counts;
  }

  #take(now: Millis, config: ServerConfig, entry: ListedUser, change: UsersChange): void {
    const { name, key } = entry;
    const crypt = entry.crypt ?? config.crypt;
    const pads = `${config.QPP} ${config.QPPCount}`;
    const known = this.#entries.get(name);
    const limits = limitsOf(entry);
    const user = known?.lock.user ?? new User(now, name, limits, this.#ledger, entry.row ?? this.#nextRow++);
    if (JSON.stringify(user.limits) !== JSON.stringify(limits)) {
      change.limits.push(name);
      user.limits = limits;
    }
    if (known !== undefined && known.key === key && known.crypt === crypt && known.pads === pads) return;
    const cipher = createCipher(crypt, this.#primitives.deriveKey(key), this.#primitives);
    const lock = { user, cipher, pads: padsOf({ ...config, key }, this.#primitives) };
    this.#totals.cipherAdded(cipher.stats);
    if (known !== undefined) this.#drop(known.lock);
    (known === undefined ? change.added : change.rekeyed).push(name);
    this.all.push(lock);
    this.#entries.set(name, { lock, key, crypt, pads });
  }

  /** No new session begins under this key; those there are go on. */
  #drop(lock: Lock): void {
    this.all.splice(this.all.indexOf(lock), 1);
    for (const keyring of this.keyrings) keyring.forget(lock);
  }
}

function usersOf(config: ServerConfig): ListedUser[] {
  const { users, key } = config;
  if (typeof users === "string" || users.length === 0) return [{ ...unlimited, name: "", key }];
  // Checked by their schema where they were read (cli/users-file.ts).
  return users.map((user) => ({ ...unlimited, ...(user as UserConfig) }));
}

function limitsOf({ sessions, streams, rateup, ratedown, quota, targets }: UserConfig): UserLimits {
  return { sessions, streams, rateup, ratedown, quota, targets };
}
