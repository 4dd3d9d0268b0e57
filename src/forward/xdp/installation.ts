/**
 * The program and its tables in the kernel: found again where an earlier process pinned them, replaced between two packets, taken out.
 *
 *   /sys/fs/bpf/longhaul/NAME/2/MAP      tables, of layout version 2
 *   /sys/fs/bpf/longhaul/NAME/link-IFINDEX   the program at an interface
 *
 * A table that has another size now is made anew and filled from the old one, before the program is replaced and once more behind it.
 */
import { HostError } from "../../base/errors.ts";
import { Block } from "../../host/block.ts";
import { Bpf } from "../../host/bpf/bpf.ts";
import { BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_LPM_TRIE, BPF_NOEXIST } from "../../host/bpf/bpf-abi.ts";
import { BpfMap, type MapShape } from "../../host/bpf/bpf-map.ts";
import type { BpfObject } from "../../host/bpf/bpf-object.ts";
import type { BpfProgram } from "../../host/bpf/bpf-program.ts";
import { BPFFS, movePin, pinFolder, pinnedNames, possibleCpus, readObject, removePinFolder, unpin } from "../../host/bpf/bpffs.ts";
import { XdpLink, type XdpMode } from "../../host/bpf/xdp-link.ts";
import { type Interface, interfaceNamed } from "../../host/interface.ts";
import type { Sys } from "../../host/sys.ts";
import { Settings } from "./settings.ts";
import { loadPrograms, openObject, type XdpLimits } from "./shapes.ts";
import { flowTable, listenerTable } from "./table-map.ts";

export interface InstallationOptions {
  /** Of the forwarder: several can stand side by side at different interfaces. Letters, digits and "-". */
  readonly name: string;
  readonly interfaces: readonly string[];
  /** Undefined: native, where that is not possible generic. */
  readonly mode?: XdpMode | undefined;
  readonly limits: XdpLimits;
  /** False: nothing is pinned, all goes with the process. */
  readonly pinned: boolean;
}

export interface AttachedInterface {
  readonly link: Interface;
  readonly mode: XdpMode;
  /** Why not native. */
  readonly because: string | undefined;
}

export class Installation {
  readonly object: BpfObject;
  readonly program: BpfProgram;
  readonly attached: readonly AttachedInterface[];
  readonly #attached: AttachedInterface[] = [];
  /** Whether an earlier process left tables that are used on. */
  readonly inherited: boolean;
  readonly cpus: number;
  /** As `attached`. */
  readonly #links: XdpLink[] = [];
  readonly #bpf: Bpf;
  readonly #mode: XdpMode | undefined;
  readonly #folder: string | undefined;

  /** @throws HostError; what was there before goes on then */
  constructor(sys: Sys, options: InstallationOptions) {
    const bpf = new Bpf(sys);
    this.#bpf = bpf;
    this.#mode = options.mode;
    this.attached = this.#attached;
    this.cpus = possibleCpus();
    const root = options.pinned ? pinFolder(sys, `${BPFFS}/longhaul/${options.name}`) : undefined;
    const folder = root === undefined ? undefined : pinFolder(sys, `${root}/${LAYOUT_VERSION}`);
    this.#folder = root;
    const made: { shape: MapShape; old: BpfMap | undefined }[] = [];
    let found = 0;
    this.object = openObject(bpf, readObject("forward"), options.limits, this.cpus, (shape) => {
      if (folder === undefined) return undefined;
      // Programs belong to this version of them.
      if (shape.name === "programs") {
        made.push({ shape, old: undefined });
        return undefined;
      }
      const pinned = BpfMap.pinned(bpf, `${folder}/${shape.name}`, shape);
      if (pinned === undefined) made.push({ shape, old: BpfMap.open(bpf, `${folder}/${shape.name}`, shape.name) });
      else found++;
      return pinned;
    });
    const links = this.#links;
    try {
      new Settings(this.object.map("bss")).sow();
      for (const { shape, old } of made) {
        if (shape.name === "listening" && folder !== undefined) this.#copyListeners(bpf, old, folder);
        if (old === undefined || shape.name === "listening") continue;
        if (shape.name.startsWith("flows")) this.#copyFlows(old, this.object.map(shape.name));
        else copyEntries(old, this.object.map(shape.name));
      }
      this.program = loadPrograms(this.object);
      for (const name of options.interfaces) this.#serve(interfaceNamed(sys, name));
      if (root !== undefined) leaveOthers(bpf, root, this.#attached);
      for (const { shape, old } of made) {
        const map = this.object.map(shape.name);
        // Flows that were opened while the first copy was made.
        if (old !== undefined && shape.name.startsWith("flows")) this.#copyFlows(old, map);
        old?.close();
        if (folder === undefined) continue;
        unpin(`${folder}/new-${shape.name}`);
        map.pin(`${folder}/new-${shape.name}`);
        movePin(`${folder}/new-${shape.name}`, `${folder}/${shape.name}`);
      }
    } catch (error) {
      for (const link of links) link.close();
      this.object.close();
      throw error;
    }
    this.inherited = found > 0 || made.some(({ old }) => old !== undefined);
  }

  /** Serves those of `wanted` that came since, and forgets those that are gone: one that was made anew has another number. @throws HostError when one cannot be served */
  follow(wanted: readonly Interface[], present: ReadonlySet<number>): void {
    for (let i = this.#links.length - 1; i >= 0; i--) {
      const { link, mode } = this.#attached[i]!;
      if (present.has(link.ifindex)) continue;
      this.#links[i]!.close();
      if (this.#folder !== undefined) unpin(`${this.#folder}/link-${link.ifindex}-${mode}`);
      this.#links.splice(i, 1);
      this.#attached.splice(i, 1);
    }
    for (const link of wanted) if (!this.#attached.some((each) => each.link.ifindex === link.ifindex)) this.#serve(link);
  }

  /** What is wrong with the program at an interface; undefined when it is there. */
  check(ifindex: number): string | undefined {
    const at = this.attached.findIndex(({ link }) => link.ifindex === ifindex);
    const found = this.#links[at]?.ifindex();
    return found === ifindex ? undefined : "the program is not at the interface any more";
  }

  /** `keep`: goes on without this process. */
  close(keep: boolean): void {
    if (!keep || this.#folder === undefined) for (const link of this.#links) link.detach();
    for (const link of this.#links) link.close();
    this.program.close();
    this.object.close();
    if (!keep && this.#folder !== undefined) removeInstallation(this.#folder);
  }

  /** Both tables have one seed: what has no place in a smaller one begins anew. */
  #copyFlows(from: BpfMap, to: BpfMap): void {
    const settings = new Settings(this.object.map("bss"));
    const [old, made] = [from, to].map((map) => flowTable(map, settings));
    made!.copy(old!);
  }

  /** Of a table of another size, or of the hash map that earlier versions had. @throws HostError when one finds no place */
  #copyListeners(bpf: Bpf, from: BpfMap | undefined, folder: string): void {
    const settings = new Settings(this.object.map("bss"));
    const table = listenerTable(this.object.map("listening"), settings);
    if (from !== undefined) table.copy(listenerTable(from, settings));
    const earlier = from === undefined ? BpfMap.open(bpf, `${folder}/listeners`, "listeners") : undefined;
    if (earlier === undefined) return;
    const walk = earlier.walk();
    while (!walk.done) {
      const count = walk.next();
      for (let i = 0; i < count; i++) table.take(walk.keys.words, (i * earlier.shape.keyBytes) / 4, walk.values.words[i]!);
    }
    earlier.close();
    unpin(`${folder}/listeners`);
  }

  #serve(at: Interface): void {
    const link =
      this.#folder === undefined ? attach(this.#bpf, this.program, at, this.#mode) : this.#take(this.#bpf, this.#folder, at, this.#mode);
    this.#links.push(link);
    this.#attached.push({ link: at, mode: link.mode, because: link.because });
  }

  /** The link that an earlier process pinned, or a new one, pinned. */
  #take(bpf: Bpf, root: string, at: Interface, mode: XdpMode | undefined): XdpLink {
    for (const candidate of ["native", "generic"] as const) {
      const path = `${root}/link-${at.ifindex}-${candidate}`;
      const link = XdpLink.pinned(bpf, path, candidate);
      if (link === undefined) continue;
      if (mode === undefined || mode === candidate) {
        try {
          link.replace(this.program);
          return link;
        } catch {
          // Of an interface that is gone, whose number another one has now.
        }
      }
      link.detach();
      link.close();
      unpin(path);
    }
    const link = attach(bpf, this.program, at, mode);
    link.pin(`${root}/link-${at.ifindex}-${link.mode}`);
    return link;
  }
}

/** Takes out what a process left that is not there any more. */
export function removeInstallation(root: string): void {
  for (const name of pinnedNames(root)) if (name.startsWith("link-")) unpin(`${root}/${name}`);
  for (const name of pinnedNames(root)) removePinFolder(`${root}/${name}`);
  removePinFolder(root);
}

/** Interfaces that are not to be served any more. */
function leaveOthers(bpf: Bpf, root: string, attached: readonly AttachedInterface[]): void {
  for (const name of pinnedNames(root)) {
    if (!name.startsWith("link-") || attached.some(({ link, mode }) => name === `link-${link.ifindex}-${mode}`)) continue;
    const link = XdpLink.pinned(bpf, `${root}/${name}`, "native");
    link?.detach();
    link?.close();
    unpin(`${root}/${name}`);
  }
}

function attach(bpf: Bpf, program: BpfProgram, at: Interface, mode: XdpMode | undefined): XdpLink {
  try {
    return XdpLink.attach(bpf, program, at.ifindex, mode);
  } catch (error) {
    if (error instanceof HostError) throw new HostError(error.code, "bpf", `${at.name}: ${error.address}`, error);
    throw error;
  }
}

/** What is in the old map and not yet in the new one; more than that has room for is left out. */
function copyEntries(from: BpfMap, to: BpfMap): void {
  const { type, keyBytes, valueBytes } = from.shape;
  if (keyBytes !== to.shape.keyBytes || valueBytes !== to.shape.valueBytes) return;
  if (type === BPF_MAP_TYPE_ARRAY && COPIED_ARRAYS.has(from.shape.name)) {
    const source = from.memory();
    const target = to.memory();
    target.set(source.subarray(0, Math.min(source.length, target.length)));
    return;
  }
  if (type !== BPF_MAP_TYPE_HASH && type !== BPF_MAP_TYPE_LPM_TRIE) return;
  const walk = from.walk();
  const value = new Block(to.bpf.sys, valueBytes);
  while (!walk.done) {
    const count = walk.next();
    for (let i = 0; i < count; i++) {
      value.bytes.set(walk.values.bytes.subarray(i * valueBytes, (i + 1) * valueBytes));
      to.insert(walk.keys.bytes.subarray(i * keyBytes, (i + 1) * keyBytes), value.bytes.subarray(0, valueBytes), BPF_NOEXIST);
    }
  }
}

/** Counts for each processor lie otherwise when the number of forwards changes: they begin anew. */
const COPIED_ARRAYS = new Set(["forwards", "policies", "choices", "backends", "sources", "titles"]);
/** Of the structures in bpf/layout.h; to be raised with any change to them. */
const LAYOUT_VERSION = 2;
