/** Network interfaces by name. Source: the kernel's Documentation/ABI/testing/sysfs-class-net. */
import { readFileSync } from "node:fs";
import { HostError } from "../base/errors.ts";

/** @throws HostError when there is no such interface */
export function interfaceIndex(name: string): number {
  return Number(attribute(name, "ifindex"));
}

/** Six bytes. @throws HostError when there is no such interface or it has no hardware address of that kind */
export function hardwareAddress(name: string): Uint8Array {
  const address = parseHardwareAddress(attribute(name, "address"));
  if (address === undefined) throw new HostError("ENODEV", "interface", `${name} has no Ethernet address`);
  return address;
}

/** The six bytes of "00:16:3e:0a:0b:0c"; undefined for anything else. */
export function parseHardwareAddress(text: string): Uint8Array | undefined {
  return /^[0-9a-f]{1,2}(:[0-9a-f]{1,2}){5}$/i.test(text) ? Uint8Array.from(text.split(":"), (hex) => Number.parseInt(hex, 16)) : undefined;
}

function attribute(name: string, file: string): string {
  try {
    if (!/^[^/\s]{1,15}$/.test(name)) throw new Error();
    return readFileSync(`/sys/class/net/${name}/${file}`, "utf8").trim();
  } catch {
    throw new HostError("ENODEV", "interface", name);
  }
}
