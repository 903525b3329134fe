import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { openRegistry, type NewModelFile, type Registry } from "@cortex/model-db";

/** A folder of its own with a registry in it, for real files; removed at the end of its scope. */
export class RegistryFolder implements AsyncDisposable {
  readonly path: string;
  readonly registry: Registry;

  private constructor(path: string, registry: Registry) {
    this.path = path;
    this.registry = registry;
  }

  static async create(): Promise<RegistryFolder> {
    const path = realpathSync(mkdtempSync(join(tmpdir(), "model-sources-")));
    return new RegistryFolder(path, await openRegistry(join(path, "registry.db"), { actor: "test" }));
  }

  /** The absolute path of a name in the folder. */
  at(name: string): string {
    return join(this.path, name);
  }

  /** Writes a file, with the folders on the way. @returns what a registry records of it. */
  write(name: string, content: string | Buffer, recorded: Partial<NewModelFile> = {}): NewModelFile {
    const path = this.at(name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    const sha256 = createHash("sha256").update(content).digest("hex");
    return { path, role: "weights", sizeBytes: Buffer.byteLength(content), sha256, ...recorded };
  }

  /** Registers a local model with these files. */
  async model(modelId: string, ...files: readonly NewModelFile[]): Promise<void> {
    await this.registry.models.create({ modelId, sourceType: "local", alias: null, files });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.registry.close();
    rmSync(this.path, { recursive: true, force: true });
  }
}
