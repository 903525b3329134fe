import { closeSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";

/** One entry, as the old program holds it in memory. */
export interface OldListEntry {
  id: string;
  author: string;
  branch: string;
  yml: string;
  alias: string;
  status: "READY" | "RUNNING";
}

/** What a write of the old program may meet. */
export interface Accidents {
  /** Between the list's being read and its being written. */
  readonly pauseMs?: number;
  /** Before each line. */
  readonly lineMs?: number;
  /** The process is killed when it has written so many lines. */
  readonly diesAfterLines?: number;
}

const BLANKS = /[ \t\v\f\r]+/;

/**
 * Does with a `model.list` what cortex.cpp's `ModelListUtils` of September 2024 did: it reads the whole
 * file for each change, with no lock, and writes it in place, truncated first, line by line, unchecked.
 */
export class OldTextStore {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** `LoadModelList`: makes the file where there is none; passes over lines of fewer than six words. */
  load(): OldListEntry[] {
    let text: string;
    try {
      text = readFileSync(this.#path, "utf8");
    } catch {
      writeFileSync(this.#path, "");
      return [];
    }
    return text.split("\n").flatMap((line) => {
      const [id, author, branch, yml, alias, status] = line.split(BLANKS).filter((word) => word !== "");
      if (!id || !author || !branch || !yml || !alias || !status) return [];
      return [{ id, author, branch, yml, alias, status: status === "RUNNING" ? "RUNNING" : "READY" }];
    });
  }

  /** `AddModelEntry` with a short alias. @returns whether it was taken. */
  add(id: string, yml: string, accidents: Accidents = {}, author = "local", branch = "imported"): boolean {
    const entries = this.load();
    const names = new Set(entries.flatMap((entry) => [entry.id, entry.alias]));
    // The old program looks for an alias for ever here.
    if (names.has(id)) return false;
    const alias = freeAlias(id, names);
    this.#save([...entries, { id, author, branch, yml, alias, status: "READY" }], accidents);
    return true;
  }

  /** `UpdateModelAlias`. @returns whether it was taken. */
  alias(handle: string, alias: string, accidents: Accidents = {}): boolean {
    const entries = this.load();
    const entry = entries.find(({ id, alias: name }) => id === handle || name === handle);
    const isTaken = entries.some((other) => other.alias === alias || (other.id === alias && other !== entry));
    if (entry === undefined || isTaken || (alias === entry.id && handle !== entry.id)) return false;
    entry.alias = alias;
    this.#save(entries, accidents);
    return true;
  }

  /** `UpdateModelEntry`: the whole row, unchecked. */
  update(handle: string, changed: OldListEntry, accidents: Accidents = {}): boolean {
    const entries = this.load();
    const at = entries.findIndex(({ id, alias }) => id === handle || alias === handle);
    if (at === -1) return false;
    entries[at] = changed;
    this.#save(entries, accidents);
    return true;
  }

  /** `DeleteModel`: the YAML goes first, then the line. @returns whether there was one that was READY. */
  delete(handle: string, accidents: Accidents = {}): boolean {
    const found = this.load().find(({ id, alias }) => id === handle || alias === handle);
    if (found !== undefined) rmSync(found.yml, { force: true });
    const entries = this.load();
    const at = entries.findIndex(
      ({ id, alias, status }) => (id === handle || alias === handle) && status === "READY",
    );
    if (at === -1) return false;
    entries.splice(at, 1);
    this.#save(entries, accidents);
    return true;
  }

  #save(entries: readonly OldListEntry[], { pauseMs = 0, lineMs = 0, diesAfterLines }: Accidents): void {
    pause(pauseMs);
    const file = openSync(this.#path, "w");
    for (const [index, { id, author, branch, yml, alias, status }] of entries.entries()) {
      if (index === diesAfterLines) process.kill(process.pid, "SIGKILL");
      pause(lineMs);
      writeSync(file, `${id} ${author} ${branch} ${yml} ${alias} ${status}\n`);
    }
    closeSync(file);
  }
}

// `GenerateShortenedAlias`.
function freeAlias(id: string, names: ReadonlySet<string>): string {
  const parts = id.split("/");
  const file = parts.at(-1)!;
  const dot = file.lastIndexOf(".");
  const stem = (dot === -1 ? file : file.slice(0, dot)).replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  const [repository, author] = [parts.at(-2), parts.at(-3)];
  const candidates = [stem];
  if (repository !== undefined) candidates.push(`${repository}:${stem}`);
  if (author !== undefined) candidates.push(`${author}:${repository}/${stem}`);
  if (parts.length > 3) candidates.push(`${parts[0]}:${parts[1]}/${repository}/${stem}`);
  const free = candidates.find((name) => !names.has(name));
  if (free !== undefined) return free;
  let number = 1;
  while (names.has(`${candidates.at(-1)}-${number}`)) number++;
  return `${candidates.at(-1)}-${number}`;
}

function pause(ms: number): void {
  if (ms > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
