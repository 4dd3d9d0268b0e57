/** A PostgreSQL server of Debian's package in a folder of its own, on a unix socket. */
import { spawnSync } from "node:child_process";
import { chownSync, globSync, mkdirSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { type Child, type Children, sleep } from "./children.ts";

/** Undefined: the package is not installed. */
const bin = globSync("/usr/lib/postgresql/*/bin").at(-1);
export const postgresMissing: string | false = bin === undefined ? "Debian's package postgresql is not installed" : false;

// PostgreSQL refuses to run as root.
const prefix = userInfo().uid === 0 ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] : [];

export interface PostgresServer {
  readonly child: Child;
  /** Of its first database. */
  readonly url: string;
}

/** `folder` is there and empty. */
export async function startPostgres(children: Children, folder: string): Promise<PostgresServer> {
  const cluster = join(folder, "data");
  const run = (...command: string[]) =>
    spawnSync([...prefix, ...command][0]!, [...prefix, ...command].slice(1), { encoding: "utf8", cwd: folder });
  mkdirSync(cluster);
  if (prefix.length > 0) {
    const id = (which: string): number => Number(spawnSync("id", [which, "postgres"], { encoding: "utf8" }).stdout);
    for (const path of [folder, cluster]) chownSync(path, id("-u"), id("-g"));
  }
  const made = run(join(bin!, "initdb"), "-D", cluster, "-U", "longhaul", "--auth=trust", "--no-sync");
  if (made.status !== 0) throw new Error(made.stderr);
  const command = [join(bin!, "postgres"), "-D", cluster, "-k", folder, "-c", "listen_addresses=", "-c", "max_connections=300"];
  const child = children.start("postgres", command, prefix);
  for (let i = 0; run(join(bin!, "pg_isready"), "-h", folder).status !== 0; i++) {
    if (i > 100) throw new Error("PostgreSQL does not start");
    await sleep(100);
  }
  return { child, url: `postgres://longhaul@${encodeURIComponent(folder)}/postgres` };
}
