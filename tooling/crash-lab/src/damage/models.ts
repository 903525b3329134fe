import Database from "better-sqlite3";

/** Every model of a registry as one text that holds its row and its files, by id. Read without the library. */
export function readModels(location: string, modelIds?: readonly string[]): Map<string, string> {
  const connection = new Database(location, { readonly: true });
  try {
    const models = connection.prepare("SELECT * FROM model WHERE ?1 IS NULL OR model_id IN (SELECT value FROM json_each(?1))");
    const files = connection.prepare("SELECT * FROM model_file WHERE model_id = ? ORDER BY path").raw();
    const rows = models.all(modelIds === undefined ? null : JSON.stringify(modelIds)) as Row[];
    return new Map(
      rows.map(({ seq: _, row_checksum: __, ...row }) => [
        row.model_id,
        JSON.stringify([row, files.all(row.model_id)]),
      ]),
    );
  } finally {
    connection.close();
  }
}

interface Row {
  readonly model_id: string;
  readonly seq: number;
  readonly row_checksum: string;
}
