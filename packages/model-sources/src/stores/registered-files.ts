import { statSync } from "node:fs";

import type { Model, ModelFile, Registry } from "@cortex/model-db";

import { everyModel } from "../every-model.ts";
import { recordedPath } from "../recorded-path.ts";
import type { FileState } from "../verify/verify-file.ts";
import type { Contents, WantedContent } from "./contents.ts";
import type { FoundFile, FoundModel } from "./found-model.ts";

/** A registered file, and whether it is where the registry says. */
interface RegisteredFile {
  readonly file: ModelFile;
  /** Absolute. */
  readonly path: string;
  /** By its size alone. */
  readonly state: Extract<FileState, "unproven" | "changed" | "missing" | "unreadable">;
  readonly identity: string | null;
}

/** A registered model, and whether its files are where the registry says. */
export interface RegisteredModel {
  readonly model: Model;
  readonly files: readonly RegisteredFile[];
}

/** How a found model is known to the registry: by where it lies, or by its content, which lies elsewhere too. */
export interface Known {
  readonly modelId: string;
  readonly by: "path" | "digest";
}

/** The registry's models as they are on the disk. */
export class RegisteredFiles {
  readonly models: readonly RegisteredModel[];
  readonly #byIdentity = new Map<string, string>();
  readonly #byPath = new Map<string, string>();
  readonly #byDigest = new Map<string, string>();

  private constructor(models: readonly RegisteredModel[]) {
    this.models = models;
    for (const { model, files } of models) {
      for (const { file, path, identity } of files) {
        if (file.role !== "weights") continue;
        this.#byPath.set(path, model.modelId);
        if (identity !== null) this.#byIdentity.set(identity, model.modelId);
        if (file.sha256 !== null && !this.#byDigest.has(file.sha256))
          this.#byDigest.set(file.sha256, model.modelId);
      }
    }
  }

  /** Looks where the files of every model are. */
  static async read(registry: Registry): Promise<RegisteredFiles> {
    const models: RegisteredModel[] = [];
    for await (const { model, files } of everyModel(registry)) {
      models.push({ model, files: files.map((file) => lookAt(file, registry.location)) });
    }
    return new RegisteredFiles(models);
  }

  /** Files that are no longer where they were, and may be elsewhere now. */
  gone(): WantedContent[] {
    return this.models.flatMap(({ files }) =>
      files.flatMap(({ file, path, state }) =>
        state !== "missing" || file.sizeBytes === null
          ? []
          : [{ path, sizeBytes: file.sizeBytes, sha256: file.sha256 }],
      ),
    );
  }

  /** The registered model that a found one is. */
  find({ files }: FoundModel, contents: Contents): Known | undefined {
    const weights = files.filter(({ role }) => role === "weights");
    for (const { path, identity } of weights) {
      const modelId =
        this.#byPath.get(path) ?? (identity === null ? undefined : this.#byIdentity.get(identity));
      if (modelId !== undefined) return { modelId, by: "path" };
    }
    for (const file of weights) {
      const sha256 = contents.sha256Of(file);
      const modelId = sha256 === null ? undefined : this.#byDigest.get(sha256);
      if (modelId !== undefined) return { modelId, by: "digest" };
    }
    return undefined;
  }

  /** Whether a registered model has this very file. */
  has({ path, identity }: Pick<FoundFile, "path" | "identity">): boolean {
    return this.#byPath.has(path) || (identity !== null && this.#byIdentity.has(identity));
  }
}

function lookAt(file: ModelFile, location: string): RegisteredFile {
  const path = recordedPath(location, file.path);
  try {
    const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (stats === undefined) return { file, path, state: "missing", identity: null };
    const isSame = stats.isDirectory() || file.sizeBytes === null || Number(stats.size) === file.sizeBytes;
    return { file, path, state: isSame ? "unproven" : "changed", identity: `${stats.dev}:${stats.ino}` };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const state = code === "ENOTDIR" || code === "ELOOP" ? "missing" : "unreadable";
    return { file, path, state, identity: null };
  }
}
