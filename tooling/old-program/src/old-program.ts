import type { OldConnection, OldRow } from "./old-connection.ts";

/** What a row is to the old program: it knows no NULL. */
export interface ModelEntry {
  readonly model: string;
  readonly authorRepoId: string;
  readonly branchName: string;
  readonly pathToModelYaml: string;
  readonly modelAlias: string;
  readonly modelFormat: string;
  readonly modelSource: string;
  readonly status: Status;
  readonly engine: string;
  readonly metadata: string;
}
export type Status = "remote" | "downloaded" | "downloadable";

/** A COMMIT failed: it stands in a destructor, so that the process ends with SIGABRT. */
export class OldProgramDied extends Error {
  override readonly name = "OldProgramDied";
}

const COLUMNS =
  "model_id, author_repo_id, branch_name, path_to_model_yaml, model_alias, model_format, model_source, status, engine, metadata";

/**
 * cortex.cpp's way with the table `models`, statement by statement and quirk by quirk
 * (`engine/database/models.cc` of 1.0.5 to 1.0.14). Failures are thrown with SQLite's message, where
 * the original hands it back as a text; nothing is tried again.
 */
export class OldProgram {
  readonly #connection: OldConnection;

  constructor(connection: OldConnection) {
    this.#connection = connection;
  }

  /** What its own migration looks at; at 3 it leaves the file alone, and -1 is a file that has none. */
  async schemaVersion(): Promise<number> {
    try {
      const [row] = await this.#connection.run("SELECT version FROM schema_version LIMIT 1");
      return Number(row?.["version"] ?? -1);
    } catch {
      return -1;
    }
  }

  async loadModelList(): Promise<ModelEntry[]> {
    return this.#inTransaction(() => this.#load());
  }

  async hasModel(id: string): Promise<boolean> {
    const [row] = await this.#connection.run("SELECT COUNT(*) AS count FROM models WHERE model_id = ?", [id]);
    return Number(row!["count"]) > 0;
  }

  async getModelInfo(id: string): Promise<ModelEntry> {
    const [row] = await this.#connection.run(`SELECT ${COLUMNS} FROM models WHERE model_id = ?`, [id]);
    if (row === undefined) throw new Error(`Model not found: ${id}`);
    return toEntry(row);
  }

  /** @returns false for an id that there is. */
  async addModelEntry(entry: ModelEntry): Promise<boolean> {
    return this.#inTransaction(async () => {
      const entries = await this.#load();
      if (entries.some(({ model }) => model === entry.model)) return false;
      await this.#connection.run(`INSERT INTO models (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, [
        entry.model,
        entry.authorRepoId,
        entry.branchName,
        entry.pathToModelYaml,
        entry.modelAlias,
        entry.modelFormat,
        entry.modelSource,
        entry.status,
        entry.engine,
        entry.metadata,
      ]);
      return true;
    });
  }

  /** Never writes the alias. */
  async updateModelEntry(id: string, entry: ModelEntry): Promise<void> {
    if (!(await this.hasModel(id))) throw new Error(`Model not found: ${id}`);
    await this.#connection.run(
      "UPDATE models SET author_repo_id = ?, branch_name = ?, path_to_model_yaml = ?, model_format = ?, model_source = ?, status = ?, engine = ?, metadata = ? WHERE model_id = ?",
      [
        entry.authorRepoId,
        entry.branchName,
        entry.pathToModelYaml,
        entry.modelFormat,
        entry.modelSource,
        entry.status,
        entry.engine,
        entry.metadata,
        id,
      ],
    );
  }

  /** One that there is not is deleted, too. */
  async deleteModelEntry(id: string): Promise<void> {
    if (!(await this.hasModel(id))) return;
    await this.#connection.run("DELETE from models WHERE model_id = ?", [id]);
  }

  async deleteModelEntryWithOrg(source: string): Promise<void> {
    const sql = 'DELETE from models WHERE model_source LIKE ? AND status = "downloadable"';
    await this.#connection.run(sql, [`${source}%`]);
  }

  async deleteModelEntryWithRepo(source: string): Promise<void> {
    const sql = 'DELETE from models WHERE model_source = ? AND status = "downloadable"';
    await this.#connection.run(sql, [source]);
  }

  async findRelatedModel(part: string): Promise<string[]> {
    const sql = 'SELECT model_id FROM models WHERE model_id LIKE ? AND status = "downloaded"';
    const rows = await this.#connection.run(sql, [`%${part}%`]);
    return rows.map((row) => text(row, "model_id"));
  }

  async getModels(source: string): Promise<ModelEntry[]> {
    const sql = `SELECT ${COLUMNS} FROM models WHERE model_source = ? AND status = "downloadable"`;
    return (await this.#connection.run(sql, [source])).map(toEntry);
  }

  async getModelSources(): Promise<ModelEntry[]> {
    const sql = `SELECT ${COLUMNS} FROM models WHERE model_source != "" AND (status = "downloaded" OR status = "downloadable")`;
    return (await this.#connection.run(sql)).map(toEntry);
  }

  /** 1.0.0 to 1.0.4 found models by alias, too, and could give another one. */
  async updateModelAlias(idOrAlias: string, alias: string): Promise<boolean> {
    return this.#inTransaction(async () => {
      const entries = await this.#load();
      if (entries.some(({ model, modelAlias }) => model === alias || modelAlias === alias)) return false;
      const sql = "UPDATE models SET model_alias = ? WHERE model_id = ? OR model_alias = ?";
      await this.#connection.run(sql, [alias, idOrAlias, idOrAlias]);
      return true;
    });
  }

  async #load(): Promise<ModelEntry[]> {
    return (await this.#connection.run(`SELECT ${COLUMNS} FROM models`)).map(toEntry);
  }

  async #inTransaction<T>(work: () => Promise<T>): Promise<T> {
    await this.#connection.run("BEGIN TRANSACTION");
    try {
      return await work();
    } finally {
      await this.#commit();
    }
  }

  async #commit(): Promise<void> {
    try {
      await this.#connection.run("COMMIT");
    } catch (error) {
      throw new OldProgramDied(`COMMIT failed: ${(error as Error).message}`, { cause: error });
    }
  }
}

function toEntry(row: OldRow): ModelEntry {
  return {
    model: text(row, "model_id"),
    authorRepoId: text(row, "author_repo_id"),
    branchName: text(row, "branch_name"),
    pathToModelYaml: text(row, "path_to_model_yaml"),
    modelAlias: text(row, "model_alias"),
    modelFormat: text(row, "model_format"),
    modelSource: text(row, "model_source"),
    status: toStatus(text(row, "status")),
    engine: text(row, "engine"),
    metadata: text(row, "metadata"),
  };
}

function text(row: OldRow, column: string): string {
  return String(row[column] ?? "");
}

// One word that it does not know stops the whole list.
function toStatus(word: string): Status {
  if (word === "remote" || word === "downloadable") return word;
  if (word === "downloaded" || word === "") return "downloaded";
  throw new Error("Invalid status string");
}
