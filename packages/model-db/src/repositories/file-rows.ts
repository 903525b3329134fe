import { query, type ParameterValue, type Query, type Session } from "../database/query.ts";
import type { ModelFile } from "../domain/model.ts";
import { toFileRow, toModelFile, type FileTable } from "../schema/file.ts";
import type { Visibility } from "./visibility.ts";

/** A file, and whose it is. */
export type FoundFile = ModelFile & { readonly modelId: string };

const byModel: Query<{ model_id: string }, FileTable> = query("files by model", ({ db, p }) =>
  db.selectFrom("model_file").selectAll().where("model_id", "=", p("model_id")).orderBy("path"),
);
const byModels: Query<{ model_ids: string }, FileTable> = query("files by models", ({ db, p, dialect }) =>
  db
    .selectFrom(dialect.texts(p("model_ids")).as("wanted"))
    .innerJoin("model_file", "model_file.model_id", "wanted.value")
    .selectAll("model_file")
    .orderBy("model_file.path"),
);
const insertRow: Query<FileTable, unknown> = query("file insert", ({ db, p }) =>
  db.insertInto("model_file").values({
    model_id: p("model_id"),
    path: p("path"),
    role: p("role"),
    size_bytes: p("size_bytes"),
    sha256: p("sha256"),
    verified_at: p("verified_at"),
    source: p("source"),
    row_checksum: p("row_checksum"),
  }),
);
const deleteRow: Query<{ model_id: string; path: string }, unknown> = query("file delete", ({ db, p }) =>
  db.deleteFrom("model_file").where("model_id", "=", p("model_id")).where("path", "=", p("path")),
);

/** The files of all models by what one of their columns says; nobody is told of a model that they do not see. */
function filesWhere(
  column: "path" | "sha256",
  visibility: Visibility | undefined,
): Query<Record<string, ParameterValue>, FileTable> {
  return query(`files by ${column}${visibility?.key ?? ""}`, (context) => {
    const { db, p, dialect } = context;
    const files = db
      .selectFrom(dialect.texts(p("wanted") as never).as("wanted"))
      .innerJoin("model_file", `model_file.${column}`, "wanted.value")
      .innerJoin("model", "model.model_id", "model_file.model_id")
      .selectAll("model_file");
    const seen = visibility === undefined ? files : files.where(visibility.ofModel(context));
    return seen.orderBy("model.seq").orderBy("model_file.path");
  });
}

/** The files whose path, or whose content, is one of those wanted, each with its model's id; by registration. */
export async function readFilesWhere(
  session: Session,
  column: "path" | "sha256",
  wanted: readonly string[],
  visibility: Visibility | undefined,
): Promise<FoundFile[]> {
  const values = { ...visibility?.values, wanted: JSON.stringify(wanted) };
  const rows = await session.all(filesWhere(column, visibility), values);
  return rows.map((row) => ({ modelId: row.model_id, ...toModelFile(row) }));
}

/** The files of a model, by path. */
export async function readFiles(session: Session, modelId: string): Promise<ModelFile[]> {
  const rows = await session.all(byModel, { model_id: modelId });
  return rows.map(toModelFile);
}

/** The files of several models, each by path, by the model's id. */
export async function readFilesOfMany(
  session: Session,
  modelIds: readonly string[],
): Promise<Map<string, ModelFile[]>> {
  const files = new Map<string, ModelFile[]>(modelIds.map((modelId) => [modelId, []]));
  const rows = await session.all(byModels, { model_ids: JSON.stringify([...files.keys()]) });
  for (const row of rows) files.get(row.model_id)!.push(toModelFile(row));
  return files;
}

export async function insertFile(session: Session, modelId: string, file: ModelFile): Promise<void> {
  await session.run(insertRow, toFileRow(modelId, file));
}

export async function deleteFile(session: Session, modelId: string, path: string): Promise<void> {
  await session.run(deleteRow, { model_id: modelId, path });
}
