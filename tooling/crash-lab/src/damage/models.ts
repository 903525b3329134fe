import Database from "better-sqlite3";

/** The rows of a model: its own, and those of its files in the order of their paths. */
export type ModelRows = readonly string[];

/** Every model of a registry, or some of them, by id. Read without the library. */
export function readModels(location: string, modelIds?: readonly string[]): Map<string, ModelRows> {
  const connection = new Database(location, { readonly: true });
  try {
    const models = connection.prepare(
      "SELECT * FROM model WHERE @ids IS NULL OR model_id IN (SELECT value FROM json_each(@ids))",
    );
    const files = connection.prepare("SELECT * FROM model_file WHERE model_id = ? ORDER BY path").raw();
    const rows = models.all({ ids: modelIds === undefined ? null : JSON.stringify(modelIds) }) as Row[];
    return new Map(
      rows.map((row) => [
        row.model_id,
        [{ ...row, seq: undefined }, ...files.all(row.model_id)].map((one) => JSON.stringify(one)),
      ]),
    );
  } finally {
    connection.close();
  }
}

interface Row {
  readonly model_id: string;
}
