/** Asks processes for their status and keeps a track of each: those named, or all of this user that are found. */
import { HostError } from "../base/errors.ts";
import type { Bytes, Millis } from "../base/units.ts";
import { httpGet } from "../host/http-get.ts";
import type { Endpoint } from "../host/loop.ts";
import { STATUS_VERSION, type Status, statusSchema } from "../metrics/status.ts";
import { ProcessTrack } from "./process-track.ts";
import type { Row } from "./view.ts";

const TIMEOUT_MS: Millis = 2000;
/** A thousand sessions are less than a megabyte. */
const ANSWER_BYTES_MAX: Bytes = 8 * 2 ** 20;

export interface Place {
  /** As shown, and by which it is told apart. */
  readonly name: string;
  readonly at: Endpoint;
}

export interface PollOptions {
  /** Asked before each poll. */
  readonly places: () => readonly Place[];
  /** Places that do not answer are shown with the reason; else they are left out. */
  readonly keepSilent: boolean;
}

export class Poll {
  readonly #options: PollOptions;
  #tracks = new Map<string, ProcessTrack>();

  constructor(options: PollOptions) {
    this.#options = options;
  }

  get processes(): readonly ProcessTrack[] {
    return [...this.#tracks.values()];
  }

  /** `wanted`: the session whose streams are asked for. */
  async run(wanted: Row | undefined): Promise<readonly ProcessTrack[]> {
    const { places, keepSilent } = this.#options;
    const asked = places().map(async ({ name, at }) => {
      const track = this.#tracks.get(name) ?? new ProcessTrack(name);
      const session = wanted?.process === track ? wanted.session.status.key : undefined;
      try {
        track.update(await ask(at, session));
      } catch (error) {
        track.failed((error as Error).message);
      }
      return track;
    });
    const tracks = (await Promise.all(asked)).filter(({ failure }) => keepSilent || failure === undefined);
    this.#tracks = new Map(tracks.map((track) => [track.address, track]));
    return tracks;
  }
}

/** @throws Error with a sentence for the user */
async function ask(at: Endpoint, session: string | undefined): Promise<Status> {
  let answer: Awaited<ReturnType<typeof httpGet>>;
  try {
    answer = await httpGet(at, `/status${session === undefined ? "" : `?session=${session}`}`, TIMEOUT_MS, ANSWER_BYTES_MAX);
  } catch (error) {
    const code = error instanceof HostError ? error.code : String(error);
    throw new Error(code === "ECONNREFUSED" || code === "ENOENT" ? "nothing listens there" : code === "ETIMEDOUT" ? "no answer" : code);
  }
  if (answer.status === 503) throw new Error("its tunnel does not answer");
  if (answer.status !== 200) throw new Error(`it is no longhaul (HTTP ${answer.status})`);
  let json: { version?: unknown };
  try {
    json = JSON.parse(answer.body);
  } catch {
    throw new Error("it is no longhaul");
  }
  if (typeof json?.version === "number" && json.version !== STATUS_VERSION)
    throw new Error(`it speaks status version ${json.version}, this program ${STATUS_VERSION}`);
  const status = statusSchema.safeParse(json);
  if (!status.success) throw new Error("it is no longhaul");
  return status.data;
}
