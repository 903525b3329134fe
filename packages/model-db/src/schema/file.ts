import type { FileRole, ModelFile } from "../domain/model.ts";
import { rowChecksum } from "./row-checksum.ts";

/** The row of `model_file`. */
export interface FileTable {
  model_id: string;
  path: string;
  role: FileRole;
  size_bytes: number | null;
  sha256: string | null;
  verified_at: number | null;
  source: string | null;
  row_checksum: string;
}

export function toModelFile(row: FileTable): ModelFile {
  return {
    path: row.path,
    role: row.role,
    sizeBytes: row.size_bytes,
    sha256: row.sha256,
    verifiedAt: row.verified_at,
    source: row.source,
  };
}

export function toFileRow(modelId: string, file: ModelFile): FileTable {
  const { path, role, sizeBytes, sha256, verifiedAt, source } = file;
  const row: FileTable = {
    model_id: modelId,
    path,
    role,
    size_bytes: sizeBytes,
    sha256,
    verified_at: verifiedAt,
    source,
    row_checksum: "",
  };
  row.row_checksum = fileChecksum(row);
  return row;
}

/** The checksum that belongs to a stored file. */
export function fileChecksum(row: FileTable): string {
  const { model_id, path, role, size_bytes, sha256, verified_at, source } = row;
  return rowChecksum([model_id, path, role, size_bytes, sha256, verified_at, source]);
}
