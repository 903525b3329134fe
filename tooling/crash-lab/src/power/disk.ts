import { hash } from "node:crypto";
import { dirname, resolve } from "node:path";

import { bytesOf, type SystemCall } from "./system-calls.ts";

/** One change that a power cut may undo, because nothing has made it durable yet. */
export type PendingChange = {
  /** After how many calls it was made. */
  readonly id: number;
} & (
  | { readonly kind: "write"; readonly file: FileNode; readonly offset: number; readonly data: Buffer }
  | { readonly kind: "truncate"; readonly file: FileNode; readonly sizeBytes: number }
  | {
      readonly kind: "name";
      /** The folder whose sync makes it durable. */
      readonly folder: string;
      readonly names: readonly { readonly path: string; readonly node: Node | undefined }[];
    }
);

/** A change of what a file holds. */
export type ContentChange = Exclude<PendingChange, { kind: "name" }>;
type NewChange<C = PendingChange> = C extends PendingChange ? Omit<C, "id"> : never;

type Node = FileNode | "folder";

/** The content of a file as the disk has it for certain, and as programs see it. */
export interface FileNode {
  readonly id: number;
  durable: Buffer;
  current: Buffer;
  /** Names what `durable` is: the same changes to the same file make the same. */
  durableKey: string;
}

/** What the disk is told of: a change, a sync, or a line that the process wrote to its standard output. */
export type DiskEvent =
  | { readonly kind: "changed" }
  | { readonly kind: "synced" }
  | { readonly kind: "said"; readonly text: string };

interface Descriptor {
  readonly path: string;
  readonly node: Node;
  readonly appends: boolean;
  offset: number;
}

/**
 * A folder on a disk that keeps only what was synced: the content of a file after fsync or fdatasync of
 * the file, a name (made, renamed, removed) after fsync of its folder, as POSIX promises and no more.
 * A rename within the folders is one step. A `-shm` file is left out, since SQLite makes it anew, and so is the content of
 * a ballast, which nobody reads: only whether it is there counts.
 */
export class Disk {
  readonly root: string;
  readonly #durable = new Map<string, Node>();
  readonly #current = new Map<string, Node>();
  readonly #descriptors = new Map<number, Descriptor>();
  #pending: PendingChange[] = [];
  #files = 0;
  #calls = 0;

  /** @param root an absolute path. @param content files by path below it, and folders as `undefined`. */
  constructor(root: string, content: ReadonlyMap<string, Buffer | undefined> = new Map()) {
    this.root = root;
    for (const [path, bytes] of content) {
      const node = bytes === undefined ? "folder" : this.#newFile(isBallast(path) ? Buffer.alloc(0) : bytes);
      this.#durable.set(resolve(root, path), node);
      this.#current.set(resolve(root, path), node);
    }
  }

  /** The changes that are not durable, oldest first. */
  get pending(): readonly PendingChange[] {
    return this.#pending;
  }

  /** The names that are durable, by absolute path. */
  get durableNames(): ReadonlyMap<string, Node> {
    return this.#durable;
  }

  /**
   * Does what a call did.
   *
   * @param ignoreSync leaves the files as unsynced as they were.
   * @returns what it meant, or `undefined` where it has nothing to do with the folder.
   */
  apply(call: SystemCall, ignoreSync = false): DiskEvent | undefined {
    const event = this.#apply(call, ignoreSync);
    this.#calls++;
    return event;
  }

  #apply({ name, args, result, begunAfter }: SystemCall, ignoreSync: boolean): DiskEvent | undefined {
    const descriptor = this.#descriptors.get(Number(args[0]));
    switch (name) {
      case "open":
      case "creat":
        return this.#open(pathOf(args[0]!), name === "creat" ? "O_CREAT|O_TRUNC" : args[1]!, result);
      case "openat":
        return this.#open(pathOf(args[1]!), args[2]!, result);
      case "close":
        this.#descriptors.delete(Number(args[0]));
        return undefined;
      case "dup":
      case "dup2":
      case "dup3":
        if (descriptor !== undefined) this.#descriptors.set(result, descriptor);
        return undefined;
      case "lseek":
        if (descriptor !== undefined) descriptor.offset = result;
        return undefined;
      case "write":
      case "writev":
        if (args[0] === "1") return { kind: "said", text: bytesOf(args[1]!).toString() };
        return this.#append(descriptor, bytesOf(args[1]!).subarray(0, result));
      case "pwrite64":
      case "pwritev":
        return this.#write(descriptor, Number(args[3]), bytesOf(args[1]!).subarray(0, result));
      case "copy_file_range":
        return this.#copy(descriptor, args[1]!, this.#descriptors.get(Number(args[2])), args[3]!, result);
      case "sendfile":
        return this.#copy(this.#descriptors.get(Number(args[1])), args[2]!, descriptor, "NULL", result);
      case "ftruncate":
        if (descriptor === undefined || descriptor.node === "folder" || isBallast(descriptor.path)) {
          return undefined;
        }
        return this.#change({ kind: "truncate", file: descriptor.node, sizeBytes: Number(args[1]) });
      case "fsync":
      case "fdatasync":
        if (descriptor === undefined) return undefined;
        if (!ignoreSync) this.#sync(descriptor, begunAfter);
        return { kind: "synced" };
      case "rename":
        return this.#rename(pathOf(args[0]!), pathOf(args[1]!));
      case "renameat":
      case "renameat2":
        return this.#rename(pathOf(args[1]!), pathOf(args[3]!));
      case "link":
        return this.#name(pathOf(args[1]!), this.#current.get(pathOf(args[0]!)));
      case "linkat":
        return this.#name(pathOf(args[3]!), this.#current.get(pathOf(args[1]!)));
      case "mkdir":
        return this.#name(pathOf(args[0]!), "folder");
      case "mkdirat":
        return this.#name(pathOf(args[1]!), "folder");
      case "unlink":
      case "rmdir":
        return this.#name(pathOf(args[0]!), undefined);
      case "unlinkat":
        return this.#name(pathOf(args[1]!), undefined);
      default:
        throw new Error(`The disk does not know the call ${name}.`);
    }
  }

  #holds(file: string): boolean {
    return (file === this.root || file.startsWith(`${this.root}/`)) && !file.endsWith("-shm");
  }

  #newFile(content: Buffer): FileNode {
    const id = this.#files++;
    const durable = Buffer.from(content);
    return { id, durable, current: Buffer.from(content), durableKey: `${id}` };
  }

  #open(file: string, flags: string, descriptor: number): DiskEvent | undefined {
    this.#descriptors.delete(descriptor);
    if (!this.#holds(file)) return undefined;
    let event: DiskEvent | undefined;
    let node = file === this.root ? "folder" : this.#current.get(file);
    if (node === undefined) {
      if (!flags.includes("O_CREAT")) return undefined;
      node = this.#newFile(Buffer.alloc(0));
      event = this.#name(file, node);
    } else if (flags.includes("O_TRUNC") && node !== "folder" && node.current.length > 0) {
      event = this.#change({ kind: "truncate", file: node, sizeBytes: 0 });
    }
    this.#descriptors.set(descriptor, { path: file, node, appends: flags.includes("O_APPEND"), offset: 0 });
    return event;
  }

  #append(descriptor: Descriptor | undefined, data: Buffer): DiskEvent | undefined {
    if (descriptor === undefined || descriptor.node === "folder") return undefined;
    const offset = descriptor.appends ? descriptor.node.current.length : descriptor.offset;
    descriptor.offset = offset + data.length;
    return this.#write(descriptor, offset, data);
  }

  #write(descriptor: Descriptor | undefined, offset: number, data: Buffer): DiskEvent | undefined {
    if (descriptor === undefined || descriptor.node === "folder" || isBallast(descriptor.path)) {
      return undefined;
    }
    return this.#change({ kind: "write", file: descriptor.node, offset, data });
  }

  #copy(
    from: Descriptor | undefined,
    fromOffset: string,
    to: Descriptor | undefined,
    toOffset: string,
    sizeBytes: number,
  ): DiskEvent | undefined {
    if (to === undefined) return undefined;
    if (from === undefined || from.node === "folder") throw new Error("A copy from outside of the folder.");
    // strace prints an offset that is given as [0]; without one the descriptor's own counts and moves.
    const start = fromOffset === "NULL" ? from.offset : Number(/\d+/.exec(fromOffset)![0]);
    if (fromOffset === "NULL") from.offset += sizeBytes;
    const data = from.node.current.subarray(start, start + sizeBytes);
    return toOffset === "NULL"
      ? this.#append(to, data)
      : this.#write(to, Number(/\d+/.exec(toOffset)![0]), data);
  }

  #rename(from: string, to: string): DiskEvent | undefined {
    const node = this.#current.get(from);
    if (!this.#holds(from) || !this.#holds(to) || node === undefined) return undefined;
    const moved = [...this.#current].filter(([file]) => file.startsWith(`${from}/`));
    const names = [[from, node] as const, ...moved].flatMap(([file, one]) => [
      { path: file, node: undefined },
      { path: to + file.slice(from.length), node: one },
    ]);
    return this.#change({ kind: "name", folder: dirname(to), names });
  }

  #name(file: string, node: Node | undefined): DiskEvent | undefined {
    if (!this.#holds(file)) return undefined;
    return this.#change({ kind: "name", folder: dirname(file), names: [{ path: file, node }] });
  }

  #change(change: NewChange): DiskEvent {
    const pending: PendingChange = { ...change, id: this.#calls };
    if (pending.kind === "name") applyNames(this.#current, pending.names);
    else pending.file.current = contentAfter(pending.file.current, [pending]);
    this.#pending.push(pending);
    return { kind: "changed" };
  }

  #sync({ path: file, node }: Descriptor, begunAfter: number): void {
    const covered = (change: PendingChange): boolean =>
      change.id < begunAfter &&
      (change.kind === "name" ? node === "folder" && change.folder === file : change.file === node);
    const durable = this.#pending.filter(covered);
    for (const change of durable) if (change.kind === "name") applyNames(this.#durable, change.names);
    if (node !== "folder") {
      node.durable = contentAfter(
        node.durable,
        durable.filter((change) => change.kind !== "name"),
      );
      node.durableKey = hash("sha1", [node.durableKey, ...durable.map(({ id }) => id)].join());
    }
    this.#pending = this.#pending.filter((change) => !covered(change));
    this.#forgetNameless();
  }

  // What no name leads to, before or after a power cut, decides nothing.
  #forgetNameless(): void {
    const reachable = new Set<Node | undefined>(this.#durable.values());
    for (const change of this.#pending) {
      if (change.kind === "name") for (const { node } of change.names) reachable.add(node);
    }
    for (const { node } of this.#descriptors.values()) reachable.add(node);
    this.#pending = this.#pending.filter((change) => change.kind === "name" || reachable.has(change.file));
  }
}

function pathOf(argument: string): string {
  return resolve(bytesOf(argument).toString());
}

/** Whether a file only holds room for a full disk. */
export function isBallast(path: string): boolean {
  return path.endsWith(".ballast");
}

/** Gives and takes names. */
export function applyNames(
  names: Map<string, Node>,
  changes: readonly { readonly path: string; readonly node: Node | undefined }[],
): void {
  for (const { path: name, node } of changes) {
    if (node === undefined) names.delete(name);
    else names.set(name, node);
  }
}

/** The content of a file after changes; the given one is left as it is. A hole reads as zeros. */
export function contentAfter(content: Buffer, changes: readonly ContentChange[]): Buffer {
  const capacity = Math.max(content.length, ...changes.map(endOf));
  const changed = Buffer.allocUnsafe(capacity);
  let sizeBytes = content.copy(changed);
  for (const change of changes) {
    const end = endOf(change);
    const start = change.kind === "write" ? change.offset : end;
    if (start > sizeBytes) changed.fill(0, sizeBytes, start);
    if (change.kind === "write") change.data.copy(changed, start);
    sizeBytes = change.kind === "write" ? Math.max(sizeBytes, end) : end;
  }
  return changed.subarray(0, sizeBytes);
}

function endOf(change: ContentChange): number {
  return change.kind === "write" ? change.offset + change.data.length : change.sizeBytes;
}
