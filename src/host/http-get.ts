/** One request over TCP or a unix socket, with a limit on time and on what is taken: for programs of our own that ask each other. */
import { request as ask } from "node:http";
import { HostError } from "../base/errors.ts";
import type { Bytes, Millis } from "../base/units.ts";
import type { Endpoint } from "./loop.ts";

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** @throws HostError (as a rejection) when nobody answers, in time or at all, or with more than `bytesMax` */
export function httpGet(at: Endpoint, path: string, timeout: Millis, bytesMax: Bytes): Promise<HttpAnswer> {
  return exchange("GET", at, path, "", timeout, bytesMax);
}

/** The same with a text to be taken. */
export function httpPost(at: Endpoint, path: string, body: string, timeout: Millis, bytesMax: Bytes): Promise<HttpAnswer> {
  return exchange("POST", at, path, body, timeout, bytesMax);
}

function exchange(method: "GET" | "POST", at: Endpoint, path: string, body: string, timeout: Millis, bytesMax: Bytes): Promise<HttpAnswer> {
  const address = "path" in at ? at.path : `${at.host}:${at.port}`;
  const target = "path" in at ? { socketPath: at.path } : { host: at.host, port: at.port };
  return new Promise((settle, fail) => {
    const request = ask({ ...target, method, path, agent: false, signal: AbortSignal.timeout(timeout) }, (response) => {
      const pieces: Buffer[] = [];
      let length = 0;
      response.on("data", (piece: Buffer) => {
        length += piece.length;
        if (length <= bytesMax) pieces.push(piece);
        else {
          failed(Object.assign(new Error("too long an answer"), { code: "EMSGSIZE" }));
          request.destroy();
        }
      });
      response.on("end", () => settle({ status: response.statusCode ?? 0, body: Buffer.concat(pieces).toString("utf8") }));
      response.on("error", failed);
    });
    const failed = (error: NodeJS.ErrnoException): void => {
      const code = error.name === "AbortError" || error.name === "TimeoutError" ? "ETIMEDOUT" : (error.code ?? "EUNKNOWN");
      fail(new HostError(code, method.toLowerCase(), address, error));
    };
    request.on("error", failed);
    request.end(body);
  });
}
