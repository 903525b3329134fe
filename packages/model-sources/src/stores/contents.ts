import type { FileDigest, FileDigests } from "@cortex/model-db";

import { hashFile } from "../verify/hash-file.ts";
import type { Finding, FoundFile } from "./found-model.ts";
import { sampleFile } from "./sample-file.ts";

const BATCH = 1000;

/** A content that is looked for: that of a registered file which is not where it was. */
export interface WantedContent {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string | null;
}

/** How far the reading of files is that have to be read to be recognised. */
export interface RecogniseProgress {
  readonly path: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface RecogniseOptions {
  /** What was found before, and where to keep what is found now; without it, nothing is kept. */
  readonly digests: FileDigests | undefined;
  /** Whether to keep what is found. */
  readonly keep: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: RecogniseProgress) => void) | undefined;
}

/** One file on the disk, under however many names. */
interface Body {
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedAt: number;
  readonly inode: string;
  sha256: string | null;
  sample: string | null;
  /** Whether something was found that is to be kept. */
  isNew: boolean;
}

/** Which found files have the same content. */
export class Contents {
  readonly #bodies: ReadonlyMap<string, Body>;
  readonly #moved: ReadonlyMap<string, string>;

  private constructor(bodies: ReadonlyMap<string, Body>, moved: ReadonlyMap<string, string>) {
    this.#bodies = bodies;
    this.#moved = moved;
  }

  /**
   * Finds out which files have the same content, and where wanted contents are now. What the stores' names say is
   * believed; files are read only where their sizes coincide and a name says nothing, at first in parts, and in full
   * where the parts coincide too.
   *
   * @param findings is added to where a file cannot be read.
   * @throws what the signal was aborted with; what was found by then is kept.
   */
  static async recognise(
    files: readonly FoundFile[],
    wanted: readonly WantedContent[],
    findings: Finding[],
    options: RecogniseOptions,
  ): Promise<Contents> {
    const bodies = toBodies(files);
    const work = new Recognition(bodies, wanted, findings, options);
    return new Contents(bodies, await work.run());
  }

  /** What a file's content is known by; two files with the same have the same content. */
  of({ identity, sha256, path }: FoundFile): string {
    return this.sha256Of({ identity, sha256 }) ?? identity ?? path;
  }

  /** A file's SHA-256, where it is known. */
  sha256Of({ identity, sha256 }: Pick<FoundFile, "identity" | "sha256">): string | null {
    return (identity === null ? undefined : this.#bodies.get(identity))?.sha256 ?? sha256;
  }

  /**
   * What files whose SHA-256 nobody knows will be recognised by, should they be moved.
   *
   * @returns without those that cannot be read.
   */
  traces(files: readonly FoundFile[]): FileDigest[] {
    return files.flatMap(({ path, identity, sha256 }) => {
      const body = identity === null ? undefined : this.#bodies.get(identity);
      if (body === undefined || (body.sha256 ?? sha256) !== null) return [];
      try {
        takeSample(body);
      } catch {
        return [];
      }
      return [{ ...toFileDigest(body), path }];
    });
  }

  /** Where a wanted content is now. @returns the identity of a found file */
  whereIs({ path }: WantedContent): string | undefined {
    return this.#moved.get(path);
  }
}

function toBodies(files: readonly FoundFile[]): Map<string, Body> {
  const bodies = new Map<string, Body>();
  for (const { path, identity, sizeBytes, modifiedAt, sha256 } of files) {
    if (identity === null || sizeBytes === null || modifiedAt === null) continue;
    const known = bodies.get(identity);
    if (known !== undefined) {
      known.sha256 ??= sha256;
      continue;
    }
    const inode = identity.slice(identity.indexOf(":") + 1);
    bodies.set(identity, { path, sizeBytes, modifiedAt, inode, sha256, sample: null, isNew: false });
  }
  return bodies;
}

/** @throws what the system says of a file that cannot be read */
function takeSample(body: Body): void {
  if (body.sample !== null) return;
  body.sample = sampleFile(body.path, body.sizeBytes);
  body.isNew = true;
}

function toFileDigest({ path, sizeBytes, modifiedAt, inode, sample, sha256 }: Body): FileDigest {
  return { path, sizeBytes, modifiedAt, inode, sampleSha256: sample, sha256 };
}

class Recognition {
  readonly #bodies: ReadonlyMap<string, Body>;
  readonly #wanted: ReadonlyMap<number, readonly WantedContent[]>;
  readonly #findings: Finding[];
  readonly #options: RecogniseOptions;

  constructor(
    bodies: ReadonlyMap<string, Body>,
    wanted: readonly WantedContent[],
    findings: Finding[],
    options: RecogniseOptions,
  ) {
    this.#bodies = bodies;
    this.#wanted = Map.groupBy(wanted, ({ sizeBytes }) => sizeBytes);
    this.#findings = findings;
    this.#options = options;
  }

  /** @returns the identities of wanted contents, by their old paths */
  async run(): Promise<Map<string, string>> {
    const groups = [...Map.groupBy(this.#bodies.values(), ({ sizeBytes }) => sizeBytes)].filter(
      ([sizeBytes, group]) =>
        sizeBytes > 0 &&
        (this.#wanted.has(sizeBytes) || (group.length > 1 && group.some(({ sha256 }) => sha256 === null))),
    );
    const old = await this.#recall(groups.flatMap(([, group]) => group));
    try {
      const toHash: Body[] = [];
      for (const [sizeBytes, group] of groups) {
        for (const body of group) this.#sample(body);
        const wantsHash = (this.#wanted.get(sizeBytes) ?? []).some(({ sha256 }) => sha256 !== null);
        for (const [sample, same] of Map.groupBy(group, (body) => body.sample)) {
          const mustHash = wantsHash || (sample !== null && same.length > 1);
          if (mustHash) toHash.push(...same.filter(({ sha256 }) => sha256 === null));
        }
      }
      await this.#hashAll(toHash);
    } finally {
      await this.#keep();
    }
    return this.#findWanted(old);
  }

  /** Takes over what was kept and still holds. @returns what is kept of the wanted, by path */
  async #recall(bodies: readonly Body[]): Promise<Map<string, FileDigest>> {
    const { digests } = this.#options;
    if (digests === undefined) return new Map();
    for (let at = 0; at < bodies.length; at += BATCH) {
      const batch = bodies.slice(at, at + BATCH);
      const kept = await digests.findMany(batch.map(({ path }) => path));
      for (const body of batch) {
        const known = kept.get(body.path);
        if (known === undefined || !isSameState(known, body)) continue;
        body.sample = known.sampleSha256;
        body.sha256 ??= known.sha256;
      }
    }
    return digests.findMany([...this.#wanted.values()].flat().map(({ path }) => path));
  }

  #sample(body: Body): void {
    try {
      takeSample(body);
    } catch (error) {
      this.#note(body, error);
    }
  }

  async #hashAll(bodies: readonly Body[]): Promise<void> {
    const { signal, onProgress } = this.#options;
    const totalBytes = bodies.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    let doneBytes = 0;
    for (const body of bodies) {
      const { path } = body;
      const onBytes = (bytes: number): void => {
        doneBytes += bytes;
        onProgress?.({ path, doneBytes, totalBytes });
      };
      try {
        const { sha256, sizeBytes } = await hashFile(path, { signal, onBytes });
        // One that grew meanwhile is another by now.
        if (sizeBytes !== body.sizeBytes) continue;
        body.sha256 = sha256;
        body.isNew = true;
      } catch (error) {
        signal?.throwIfAborted();
        this.#note(body, error);
      }
    }
  }

  async #keep(): Promise<void> {
    const { digests, keep } = this.#options;
    if (digests === undefined || !keep) return;
    const found = [...this.#bodies.values()].filter(({ isNew }) => isNew).map(toFileDigest);
    for (let at = 0; at < found.length; at += BATCH) await digests.keepMany(found.slice(at, at + BATCH));
  }

  #findWanted(old: ReadonlyMap<string, FileDigest>): Map<string, string> {
    const places = new Map<string, string>();
    if (this.#wanted.size === 0) return places;
    for (const [identity, body] of this.#bodies) {
      for (const { path, sha256 } of this.#wanted.get(body.sizeBytes) ?? []) {
        if (places.has(path)) continue;
        const kept = old.get(path);
        const known = sha256 ?? kept?.sha256 ?? null;
        const isSame =
          known === null
            ? kept !== undefined && body.sample !== null && kept.sampleSha256 === body.sample
            : known === body.sha256;
        if (isSame) places.set(path, identity);
      }
    }
    return places;
  }

  #note({ path }: Body, error: unknown): void {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    this.#findings.push({ kind: "finding", path, problem: `cannot be read (${code})` });
  }
}

function isSameState(kept: FileDigest, { sizeBytes, modifiedAt, inode }: Body): boolean {
  return kept.sizeBytes === sizeBytes && kept.modifiedAt === modifiedAt && kept.inode === inode;
}
