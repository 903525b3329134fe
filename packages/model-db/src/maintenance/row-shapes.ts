import { MODEL_FIELDS } from "../domain/fields.ts";
import { eventChecksum, type EventTable } from "../schema/event.ts";
import { fileChecksum, type FileTable } from "../schema/file.ts";
import { modelChecksum, type ModelValues } from "../schema/model.ts";
import type { StoredValue } from "./pages/record.ts";

/** A row that was found in a page: the values of one of the tables that have checksums. */
export type FoundRow =
  | { readonly table: "model"; readonly seq: number; readonly row: ModelValues }
  | { readonly table: "model_event"; readonly row: EventTable }
  | { readonly table: "model_file"; readonly row: FileTable };

/** How the rows of a table are known: by how many values they have, and of which kinds. */
export interface RowShape {
  readonly table: FoundRow["table"];
  /** What kind of tree its rows stand in. */
  readonly tree: "table" | "index";
  readonly accepts: (types: readonly number[]) => boolean;
  /** The rowid stands beside the record, and matters where it is the key. */
  readonly toRow: (rowid: number, values: readonly StoredValue[]) => FoundRow;
}

// One letter for each column: x the rowid, stored as NULL; t text, i integer; capitals may be NULL. Columns that
// a later schema added stand behind the bar: rows that were written before do not have them.
const MODEL = "xttTTTTtiiitTTTTIIItttTiIit|Ti";
const EVENT = "xtttiiTTt|T";
const FILE = "tttITITt";

const ADDED_TO_MODEL = { owner: null, private: 0 } as const;
const MODEL_COLUMNS = MODEL_FIELDS.map(({ name }) => name)
  .filter((name) => !(name in ADDED_TO_MODEL))
  .concat(Object.keys(ADDED_TO_MODEL) as (keyof typeof ADDED_TO_MODEL)[]);
const ADDED_TO_EVENT = { origin: null };
const EVENT_COLUMNS = [
  "model_id",
  "kind",
  "actor",
  "at",
  "row_version",
  "before",
  "after",
  "row_checksum",
  ...Object.keys(ADDED_TO_EVENT),
];
const FILE_COLUMNS = [
  "model_id",
  "path",
  "role",
  "size_bytes",
  "sha256",
  "verified_at",
  "source",
  "row_checksum",
];

/** The tables that are looked for. */
const ROW_SHAPES: readonly RowShape[] = [
  {
    table: "model",
    tree: "table",
    accepts: (types) => fits(MODEL, types),
    toRow: (seq, values) => ({
      table: "model",
      seq,
      row: { ...ADDED_TO_MODEL, ...named(MODEL_COLUMNS, values, 1) } as unknown as ModelValues,
    }),
  },
  {
    table: "model_event",
    tree: "table",
    accepts: (types) => fits(EVENT, types),
    toRow: (rowid, values) => ({
      table: "model_event",
      row: {
        event_id: rowid,
        ...ADDED_TO_EVENT,
        ...named(EVENT_COLUMNS, values, 1),
      } as unknown as EventTable,
    }),
  },
  {
    table: "model_file",
    tree: "index",
    accepts: (types) => fits(FILE, types),
    toRow: (_rowid, values) => ({
      table: "model_file",
      row: named(FILE_COLUMNS, values, 0) as unknown as FileTable,
    }),
  },
];

/** The shape of a record in a tree of that kind, if it is one of ours. */
export function shapeOf(types: readonly number[], tree: "table" | "index"): RowShape | undefined {
  return ROW_SHAPES.find((shape) => shape.tree === tree && shape.accepts(types));
}

/** Whether a row is what its own checksum says. */
export function isVerified(found: FoundRow): boolean {
  // No number of ours is so large, and JSON has no word for it.
  if (Object.values(found.row).some((value) => typeof value === "bigint")) return false;
  return found.row.row_checksum !== "" && found.row.row_checksum === checksumOf(found);
}

function checksumOf(found: FoundRow): string {
  if (found.table === "model") return modelChecksum(found.row);
  return found.table === "model_event" ? eventChecksum(found.row) : fileChecksum(found.row);
}

function fits(shape: string, types: readonly number[]): boolean {
  const [first = "", added = ""] = shape.split("|");
  const letters = types.length === first.length ? first : first + added;
  if (types.length !== letters.length) return false;
  for (const [index, type] of types.entries()) if (!fitsOne(letters[index]!, type)) return false;
  return true;
}

function fitsOne(letter: string, type: number): boolean {
  if (type === 0) return letter === "x" || letter === "T" || letter === "I";
  if (letter === "t" || letter === "T") return type >= 13 && type % 2 === 1;
  return letter !== "x" && (type <= 6 || type === 8 || type === 9);
}

function named(columns: readonly string[], values: readonly StoredValue[], from: number): object {
  return Object.fromEntries(values.slice(from).map((value, index) => [columns[index]!, value]));
}
