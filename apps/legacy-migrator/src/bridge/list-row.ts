import { hasForbiddenCharacter, MODEL_STATUS, type Model } from "@cortex/model-db";

/** The words of one line of `model.list`, in their order. */
export interface ListRow {
  readonly modelId: string;
  readonly author: string;
  readonly branch: string;
  readonly configPath: string;
  readonly alias: string;
  readonly status: "READY" | "RUNNING";
}

/** The fields that either side may change; an id never changes, and the status is the registry's. */
export const LIST_FIELDS = ["author", "branch", "configPath", "alias"] as const;
export type ListField = (typeof LIST_FIELDS)[number];

/** Stands for a field that is not known: the old program drops a line in which a field is empty. */
export const UNKNOWN_WORD = "-";

// What `isspace` means in the C locale, by which the old program parts a line into words.
const BLANK = /[ \t\n\v\f\r]/;
const BLANKS = /[ \t\v\f\r]+/;
const WORDS = 6;

/** One line, without its newline, as cortex.cpp's `ModelListUtils::SaveModelList` writes it. */
export function formatRow({ modelId, author, branch, configPath, alias, status }: ListRow): string {
  return `${modelId} ${author} ${branch} ${configPath} ${alias} ${status}`;
}

/**
 * Reads a line that has exactly six words, as cortex.cpp's `ModelListUtils::LoadModelList` does: every
 * status that is not `RUNNING` is READY.
 *
 * @returns `undefined` for a line of fewer or more words.
 */
export function parseRow(line: string): ListRow | undefined {
  const words = wordsOf(line);
  if (words.length !== WORDS) return undefined;
  const [modelId, author, branch, configPath, alias, status] = words as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  return {
    modelId,
    author,
    branch,
    configPath,
    alias,
    status: status === "RUNNING" ? "RUNNING" : "READY",
  };
}

/** The words of a line, parted by what the old program takes for blanks. */
export function wordsOf(line: string): string[] {
  return line.split(BLANKS).filter((word) => word !== "");
}

/**
 * The line that stands for a model: the id stands for an alias that there is not, {@link UNKNOWN_WORD} for
 * other fields.
 *
 * @param modelId the id by which the file knows it: another spelling of the model's own, mostly the same.
 */
export function toListRow(model: Model, modelId: string): ListRow {
  return {
    modelId,
    author: model.authorRepo || UNKNOWN_WORD,
    branch: model.branch || UNKNOWN_WORD,
    configPath: model.configPath || UNKNOWN_WORD,
    alias: model.alias || modelId,
    status: model.status === MODEL_STATUS.RUNNING ? "RUNNING" : "READY",
  };
}

/** Why a line cannot be written, as the end of a sentence; `undefined` where it can. */
export function rowProblem(row: ListRow): string | undefined {
  for (const [field, word] of [
    ["id", row.modelId],
    ["author", row.author],
    ["branch", row.branch],
    ["path", row.configPath],
    ["alias", row.alias],
  ] as const) {
    if (BLANK.test(word)) return `its ${field} holds a blank, at which the old program would cut it`;
    if (hasForbiddenCharacter(word)) return `its ${field} holds a control character`;
  }
  return undefined;
}
