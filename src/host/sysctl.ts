/** Settings of the kernel: /proc/sys of this network namespace. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { HostError } from "../base/errors.ts";

/** Names as sysctl(8) has them; an interface's name may hold dots, so that its part is given with slashes: "net/ipv4/conf/eth0.7/rp_filter". */
export function readSysctl(name: string): string | undefined {
  try {
    return readFileSync(pathOf(name), "utf8").trim();
  } catch {
    return undefined;
  }
}

/** @throws HostError */
export function writeSysctl(name: string, value: string): void {
  try {
    writeFileSync(pathOf(name), `${value}\n`);
  } catch (error) {
    throw new HostError((error as NodeJS.ErrnoException).code ?? "EIO", "sysctl", `${name}=${value}`, error);
  }
}

/** Names of what lies below: interfaces of "net/ipv4/conf". */
export function listSysctl(name: string): string[] {
  try {
    return readdirSync(pathOf(name));
  } catch {
    return [];
  }
}

function pathOf(name: string): string {
  return `/proc/sys/${name.includes("/") ? name : name.replaceAll(".", "/")}`;
}
