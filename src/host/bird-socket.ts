/**
 * BIRD's control socket: one command, and what it answers.
 *
 *   "0001 BIRD 2.0.12 ready.\n" ─► "configure\n" ─► "0002-Reading configuration\n 0003 Reconfigured\n"     a code and a space ends an answer; 8… and 9… are errors
 *
 * Source: BIRD's programmer's documentation, "Command line interface".
 */
import { connect } from "node:net";
import { HostError } from "../base/errors.ts";
import type { Millis } from "../base/units.ts";

const ANSWER_BYTES_MAX = 1 << 20;

/** The lines of the answer. @throws HostError (as a rejection): nobody there, no answer in time, or refused (EINVAL, with BIRD's words) */
export function askBird(path: string, command: string, timeout: Millis): Promise<readonly string[]> {
  return new Promise((settle, fail) => {
    const socket = connect({ path });
    let text = "";
    let greeted = false;
    const timer = setTimeout(() => failed("ETIMEDOUT"), timeout);
    const failed = (code: string, words = path): void => {
      clearTimeout(timer);
      socket.destroy();
      fail(new HostError(code, "bird", words));
    };
    socket.on("error", ({ code = "EIO" }: NodeJS.ErrnoException) => failed(code));
    socket.on("close", () => failed("ECONNRESET"));
    socket.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
      if (text.length > ANSWER_BYTES_MAX) failed("EMSGSIZE");
      for (;;) {
        const lines = text.split("\n");
        const last = lines.slice(0, -1).findIndex((line) => /^\d{4} /.test(line));
        if (last < 0) return;
        const answer = lines.slice(0, last + 1);
        text = lines.slice(last + 1).join("\n");
        if (!greeted) {
          greeted = true;
          socket.write(`${command}\n`);
          continue;
        }
        const wrong = answer.find((line) => /^[89]\d{3}[ -]/.test(line));
        if (wrong !== undefined) {
          failed("EINVAL", wrong.slice(5, 205));
          return;
        }
        clearTimeout(timer);
        socket.removeAllListeners("close").end();
        settle(answer);
        return;
      }
    });
  });
}
