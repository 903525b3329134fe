import { checkKeys, parseList, parseName, shown } from "../domain/input.ts";
import type { ModelFile, NewModelFile } from "../domain/model.ts";
import { parseNewFile, parsePath, parseSha256 } from "../domain/parse-model.ts";
import { invalidInput, RegistryError } from "../errors.ts";
import { changeFiles } from "./change-files.ts";
import { parseChangeOptions } from "./change-options.ts";
import { readFiles, readFilesOfMany, readFilesWhere, type FoundFile } from "./file-rows.ts";
import { withKnownSources } from "./known-sources.ts";
import { readForChange } from "./model-row.ts";
import type { Models } from "./models.ts";
import type { ChangeOptions, Scope } from "./scope.ts";
import { visibilityOf } from "./visibility.ts";

const CHANGE_KEYS: ReadonlySet<string> = new Set(["put", "remove"]);

/** What the models consist of on disk. The files themselves are never touched. */
export class Files {
  readonly #scope: Scope;
  readonly #models: Models;

  constructor(scope: Scope, models: Models) {
    this.#scope = scope;
    this.#models = models;
  }

  /**
   * The files of a model, in the order of their paths.
   *
   * @throws RegistryError `model_not_found`.
   */
  async list(name: string): Promise<ModelFile[]> {
    const model = await this.#models.resolve(name);
    return readFiles(this.#scope.reader, model.modelId);
  }

  /**
   * The files of the models that up to 1,000 ids or aliases mean, at once.
   *
   * @returns by the name asked for, in the order of their paths; names that mean nothing are absent.
   */
  async listMany(names: readonly string[]): Promise<Map<string, ModelFile[]>> {
    const models = await this.#models.resolveMany(names);
    const modelIds = Array.from(models.values(), ({ modelId }) => modelId);
    const files = await readFilesOfMany(this.#scope.reader, modelIds);
    return new Map(Array.from(models, ([name, { modelId }]) => [name, files.get(modelId)!]));
  }

  /**
   * The files of any model that have a content, for up to 1,000 contents at once.
   *
   * @param sha256s each 64 lower-case hexadecimal digits.
   * @returns with their models' ids, in the order in which the models were registered.
   * @throws RegistryError `invalid_input`.
   */
  async listWithContent(sha256s: readonly string[]): Promise<FoundFile[]> {
    const wanted = parseList("sha256", sha256s, parseSha256);
    return readFilesWhere(this.#scope.reader, "sha256", wanted, visibilityOf(this.#scope.access));
  }

  /**
   * The files of any model that are recorded at a path, for up to 1,000 paths at once.
   *
   * @param paths as they are recorded.
   * @returns with their models' ids, in the order in which the models were registered.
   * @throws RegistryError `invalid_input`.
   */
  async listAt(paths: readonly string[]): Promise<FoundFile[]> {
    const wanted = parseList("paths", paths, parsePath);
    return readFilesWhere(this.#scope.reader, "path", wanted, visibilityOf(this.#scope.access));
  }

  /**
   * Records a file of a model; one with the same path is replaced. A `source` that a caller gives stays only where
   * the same is recorded of that path: it says that the file is for us to delete.
   *
   * @returns it as it is recorded.
   * @throws RegistryError `model_not_found`, `row_version_mismatch`, `lease_lost`, `invalid_input`.
   */
  async put(name: string, file: NewModelFile, options?: ChangeOptions): Promise<ModelFile> {
    const parsed = parseNewFile(file);
    const [recorded] = await this.#change(name, [], [parsed], options);
    return recorded!;
  }

  /**
   * Forgets a file of a model.
   *
   * @throws RegistryError `not_found` when the model has no such file, and as `put`.
   */
  async delete(name: string, path: string, options?: ChangeOptions): Promise<void> {
    await this.#change(name, [parsePath(path)], [], options);
  }

  /**
   * Records files of a model and forgets others in one step, which is one entry in the history: how files move.
   *
   * @param change.put replace those with the same path.
   * @param change.remove paths.
   * @throws RegistryError `not_found` when the model has no such file to forget, and as `put`.
   */
  async change(
    name: string,
    change: { readonly put: readonly NewModelFile[]; readonly remove: readonly string[] },
    options?: ChangeOptions,
  ): Promise<void> {
    checkKeys("a change of files", change, CHANGE_KEYS);
    if (!Array.isArray(change.put)) throw invalidInput("put", "put must be a list of files.");
    const put = change.put.map((file) => parseNewFile(file));
    await this.#change(name, parseList("remove", change.remove, parsePath), put, options);
  }

  async #change(
    name: string,
    remove: readonly string[],
    put: readonly ModelFile[],
    options: ChangeOptions | undefined,
  ): Promise<readonly ModelFile[]> {
    const wanted = parseName("name", name);
    const change = parseChangeOptions(options, this.#scope);
    return this.#scope.write(
      async (session) => {
        const stored = await readForChange(session, wanted, "change", change, this.#scope.now());
        const { modelId } = stored.model;
        const before = await readFiles(session, modelId);
        const files = new Map(before.map((file) => [file.path, file]));
        for (const path of remove) {
          if (files.delete(path)) continue;
          throw new RegistryError("not_found", `${shown(modelId)} has no file ${shown(path)}.`);
        }
        const recorded = await withKnownSources(session, put, change.access);
        for (const file of recorded) files.set(file.path, file);
        await changeFiles(session, stored, { before, after: [...files.values()] }, change);
        return recorded;
      },
      { makesRoom: put.length === 0 },
    );
  }
}
