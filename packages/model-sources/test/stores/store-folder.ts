import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { storeIn } from "../../src/stores/all-stores.ts";
import type { Found, FoundModel, StoreName } from "../../src/stores/found-model.ts";
import { StoreReader } from "../../src/stores/store-reader.ts";

/** A folder of its own for a store; removed at the end of its scope. */
export class StoreFolder implements Disposable {
  readonly path: string = realpathSync(mkdtempSync(join(tmpdir(), "store-")));

  /** The absolute path of a name in it. */
  at(...names: readonly string[]): string {
    return join(this.path, ...names);
  }

  /** What is found in a folder that is named, and whose store that is. */
  async read(path: string = this.path): Promise<{ store: StoreName; found: Found[]; models: FoundModel[] }> {
    const reader = new StoreReader();
    const { store } = storeIn(path, reader);
    const found = await Array.fromAsync(store.read(path, reader));
    return { store: store.name, found, models: found.filter((one) => one.kind === "model") };
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

/** What a test compares of a model: its name, its state, and what is known of its files. */
export function inShort({ name, state, files }: FoundModel): string {
  const all = files.map(
    ({ role, sizeBytes, sha256 }) => `${role} ${sizeBytes ?? "gone"}${sha256 === null ? "" : " known"}`,
  );
  return `${name}: ${state}: ${all.join(", ")}`;
}
