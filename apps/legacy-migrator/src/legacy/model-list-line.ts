import { shortAliases } from "@cortex/model-db";

import type { LegacyNote, Problem } from "./legacy-entry.ts";

/** The fields of one line of `model.list`, as far as they can be told. */
export interface ModelListFields {
  modelId: string;
  author: string | null;
  branch: string | null;
  configPath: string | null;
  alias: string | null;
  status: string | null;
  notes: readonly LegacyNote[];
  rest: string | null;
}

/** What is known beside the line itself. */
export interface LineContext {
  /** False for a last line that no newline ends: its last word may be cut off. */
  terminated: boolean;
  /** Whether a path of the old store, relative or absolute, is a file now. */
  isFile(path: string): boolean;
  /** Where the old program would have kept the YAML of such a model, best first. */
  usualConfigPaths(modelId: string, author: string, branch: string): readonly string[];
}

interface Word {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const NO_NOTES: readonly LegacyNote[] = [];
const OTHER_BLANK = /[\t\v\f\r]/;
const CONFIG_FILE = /\.ya?ml$/i;
const PATH_BEGIN = /^(?:\/|~\/|\.{1,2}[\\/]|[A-Za-z]:[\\/]|\\\\|models[\\/])/;
const FIELD_COUNT = 6;

/**
 * Reads one line of `model.list`: `id author branch yaml alias status`, separated by blanks, as
 * cortex.cpp's `ModelListUtils::LoadModelList` does (`getline` and `>>`); and where that reader drops or
 * corrupts a line (a path with a blank in it, an empty field, a line that ends early), puts it together
 * again if there is one way only to do so.
 *
 * @param text the line without its newline.
 * @returns the fields, or why the line is none and what to do about it.
 */
export function parseModelListLine(text: string, context: LineContext): ModelListFields | Problem {
  const line = text.endsWith("\r") ? text.slice(0, -1) : text;
  if (!OTHER_BLANK.test(line)) {
    const fields = line.split(" ");
    const [modelId, author, branch, configPath, alias, status] = fields;
    if (
      fields.length === FIELD_COUNT &&
      modelId &&
      author &&
      branch &&
      alias &&
      status &&
      configPath !== undefined &&
      isConfigFile(configPath) &&
      modelId !== "#"
    ) {
      return { modelId, author, branch, configPath, alias, status, notes: NO_NOTES, rest: null };
    }
  }
  const words = wordsOf(line);
  if (words.length === 0) return BLANK;
  const begin = pathBegin(words);
  if (begin === 3) return readFrom(line, words, 3, context, []) ?? incomplete(words, context);
  if (words[0]!.text.startsWith("#")) return COMMENT;
  if (begin > 3) return readSpacedId(line, words, begin, context) ?? cannotTell();
  if (begin >= 0 || words.length < FIELD_COUNT)
    return readEmptyField(line, context) ?? tooFew(words, context);
  return readOtherPath(line, words, context);
}

/** Whether a line was read. */
export function isFields(result: ModelListFields | Problem): result is ModelListFields {
  return "modelId" in result;
}

// The line from the word at `begin`, the first one of the path, to its end.
function readFrom(
  line: string,
  words: readonly Word[],
  begin: number,
  context: LineContext,
  notes: LegacyNote[],
): ModelListFields | undefined {
  const modelId = line.slice(words[0]!.start, words[begin - 3]!.end);
  const author = words[begin - 2]!.text;
  const branch = words[begin - 1]!.text;
  const fields = { modelId, author, branch, alias: null, status: null, rest: null, notes };
  const ends = words.flatMap(({ text }, index) => (index >= begin && CONFIG_FILE.test(text) ? [index] : []));
  const pathTo = (end: number): string => line.slice(words[begin]!.start, words[end]!.end);
  if (ends.length === 0) return readCutPath(line, words, begin, context, fields);

  const end = pathEnd(words, begin, ends, (index) => context.isFile(pathTo(index)));
  if (end === undefined) return undefined;
  const configPath = pathTo(end);
  if (end > begin) {
    notes.push(
      note("path_joined", "The path holds a blank, at which the old program cut it; it is whole again."),
    );
  }
  const tail = words.slice(end + 1);
  return { ...fields, configPath, ...readTail(line, tail, modelId, context, notes, end > begin) };
}

// What follows the path: alias and status.
function readTail(
  line: string,
  tail: readonly Word[],
  modelId: string,
  context: LineContext,
  notes: LegacyNote[],
  joined: boolean,
): { alias: string | null; status: string | null; rest: string | null } {
  const [first, second] = tail;
  const last = tail.at(-1);
  if (first === undefined || last === undefined) {
    notes.push(note("alias_lost", "The line ends after the path: its alias and status are lost."));
    return { alias: null, status: null, rest: null };
  }
  if (tail.length === 1) {
    if (isStatus(first.text)) {
      const why = joined
        ? "an old write dropped it, as it did with whatever came after the path"
        : "the field is empty";
      notes.push(note("alias_lost", `The line has no alias: ${why}.`));
      return { alias: null, status: first.text, rest: null };
    }
    if (context.terminated) {
      notes.push(note("status_absent", "The line has five fields and no status; it is taken as READY."));
      return { alias: first.text, status: null, rest: null };
    }
    return readCutAlias(first.text, modelId, notes);
  }
  if (tail.length === 2) return { alias: first.text, status: last.text, rest: null };
  if (isStatus(second!.text)) {
    const rest = line.slice(tail[2]!.start);
    notes.push(
      note("rest_ignored", `After the sixth field there is more, which the old program ignored: ${rest}`),
    );
    return { alias: first.text, status: second!.text, rest };
  }
  if (isStatus(last.text)) {
    notes.push(
      note("alias_joined", "The alias holds a blank, at which the old program cut it; it is whole again."),
    );
    return { alias: line.slice(first.start, tail.at(-2)!.end), status: last.text, rest: null };
  }
  const rest = line.slice(tail[2]!.start);
  notes.push(
    note("rest_ignored", `After the sixth field there is more, which the old program ignored: ${rest}`),
  );
  return { alias: first.text, status: second!.text, rest };
}

// A last line that ends inside its alias.
function readCutAlias(
  cut: string,
  modelId: string,
  notes: LegacyNote[],
): { alias: string | null; status: null; rest: string | null } {
  const whole = [...shortAliases(modelId), modelId].find((alias) => alias.startsWith(cut));
  if (whole === cut) {
    notes.push(note("line_cut", "The last line was cut off before its status; it is taken as READY."));
    return { alias: cut, status: null, rest: null };
  }
  if (whole !== undefined) {
    notes.push(
      note(
        "line_cut",
        `The last line was cut off after "${cut}"; its alias is the one the old program made: ${whole}`,
      ),
    );
    return { alias: whole, status: null, rest: null };
  }
  notes.push(note("line_cut", `The last line was cut off in its alias, of which "${cut}" is left.`));
  return { alias: null, status: null, rest: cut };
}

// The last word of the path, if there is one way only to tell.
function pathEnd(
  words: readonly Word[],
  begin: number,
  ends: readonly number[],
  isFile: (end: number) => boolean,
): number | undefined {
  if (ends.length === 1) return ends[0];
  const found = ends.filter(isFile);
  if (found.length === 1) return found[0];
  // One word for the alias and one for the status behind it: what the old program wrote.
  const regular = ends.find((end) => end === words.length - 3 && isStatus(words[words.length - 1]!.text));
  const plain = ends.find((end) => end === begin && isStatus(words[begin + 2]?.text));
  if (regular !== undefined && plain !== undefined && regular !== plain) return undefined;
  return regular ?? plain;
}

// A path of which no word ends in .yml: an old write cut it at a blank and dropped the end.
function readCutPath(
  line: string,
  words: readonly Word[],
  begin: number,
  context: LineContext,
  fields: Omit<ModelListFields, "configPath"> & { author: string; branch: string; notes: LegacyNote[] },
): ModelListFields | undefined {
  const left = line.slice(words[begin]!.start, words.at(-1)!.end);
  const beginning = words[begin]!.text;
  const usual = context
    .usualConfigPaths(fields.modelId, fields.author, fields.branch)
    .find((path) => context.isFile(path));
  if (usual !== undefined) {
    const text = `The path was cut off after "${beginning}"; the file was found where the old program keeps it.`;
    fields.notes.push(note("path_found", text), note("alias_lost", "The alias is lost."));
    return { ...fields, configPath: usual, status: lastStatus(words), rest: left };
  }
  if (words.length !== begin + 3) return undefined;
  fields.notes.push(
    note(
      "path_doubtful",
      `The path does not end in .yml; an old write may have cut it at a blank: ${beginning}`,
    ),
  );
  return { ...fields, configPath: beginning, alias: words[begin + 1]!.text, status: words[begin + 2]!.text };
}

// A blank in the id: told by the fixed words of an import, or by a path that ends in the id.
function readSpacedId(
  line: string,
  words: readonly Word[],
  begin: number,
  context: LineContext,
): ModelListFields | undefined {
  const modelId = line.slice(words[0]!.start, words[begin - 3]!.end);
  const imported = words[begin - 2]!.text === "local" && words[begin - 1]!.text === "imported";
  const notes = [
    note("id_joined", "The id holds a blank, at which the old program cut it; it is whole again."),
  ];
  const read = readFrom(line, words, begin, context, notes);
  if (read === undefined) return undefined;
  const path = read.configPath?.replaceAll("\\", "/") ?? "";
  return imported || path.endsWith(`/${modelId}.yml`) || path.endsWith(`/${modelId}.yaml`) ? read : undefined;
}

// The old program wrote one blank between fields: two in a row are a field that was empty.
function readEmptyField(line: string, context: LineContext): ModelListFields | Problem | undefined {
  const fields = line.split(" ");
  if (
    fields.length !== FIELD_COUNT ||
    OTHER_BLANK.test(line) ||
    fields.filter((field) => field === "").length !== 1
  ) {
    return undefined;
  }
  const [modelId, author, branch, configPath, alias, status] = fields as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  if (modelId === "") return NO_ID;
  if (!isStatus(status) && !PATH_BEGIN.test(configPath)) return undefined;
  if (!context.terminated && status === "") return undefined;
  const name = ["id", "author", "branch", "path", "alias", "status"][fields.indexOf("")]!;
  const notes = [
    note("field_empty", `The ${name} is empty, for which the old program dropped the whole line.`),
  ];
  return {
    modelId,
    author: author || null,
    branch: branch || null,
    configPath: configPath || null,
    alias: alias || null,
    status: status || null,
    notes,
    rest: null,
  };
}

// Six words or more, none of which begins like a path.
function readOtherPath(
  line: string,
  words: readonly Word[],
  context: LineContext,
): ModelListFields | Problem {
  const [modelId, author, branch, configPath, alias, status] = words.map(({ text }) => text) as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const rest = words.length > FIELD_COUNT ? line.slice(words[FIELD_COUNT]!.start) : null;
  const notes: LegacyNote[] = [];
  if (rest !== null) {
    notes.push(
      note("rest_ignored", `After the sixth field there is more, which the old program ignored: ${rest}`),
    );
  }
  // An id with a blank whose path was cut as well: an import lies where the old program keeps it.
  const importedAt = words.findIndex(
    (word, index) => word.text === "local" && words[index + 1]?.text === "imported",
  );
  if (importedAt > 1) {
    const whole = line.slice(words[0]!.start, words[importedAt - 1]!.end);
    const usual = context.usualConfigPaths(whole, "local", "imported").find((path) => context.isFile(path));
    if (usual === undefined) return cannotTell();
    notes.push(
      note("id_joined", "The id holds a blank, at which the old program cut it; it is whole again."),
    );
    notes.push(note("path_found", "The path was lost; the file was found where the old program keeps it."));
    return {
      modelId: whole,
      author: "local",
      branch: "imported",
      configPath: usual,
      alias: null,
      status: lastStatus(words),
      notes,
      rest: null,
    };
  }
  if (configPath !== "-" && !isConfigFile(configPath)) {
    if (!isStatus(status)) return NO_ENTRY;
    notes.push(note("path_doubtful", `The path does not end in .yml: ${configPath}`));
  }
  return { modelId, author, branch, configPath, alias, status, notes, rest };
}

function lastStatus(words: readonly Word[]): string | null {
  const last = words.at(-1)!.text;
  return isStatus(last) ? last : null;
}

function isStatus(word: string | undefined): boolean {
  return word === "READY" || word === "RUNNING";
}

function isConfigFile(path: string): boolean {
  return path.endsWith(".yml") || path.endsWith(".yaml");
}

// The first word, from the third on, that begins like a path; -1 where none does.
function pathBegin(words: readonly Word[]): number {
  for (let index = 2; index < words.length; index++) if (PATH_BEGIN.test(words[index]!.text)) return index;
  return -1;
}

function wordsOf(line: string): Word[] {
  const words: Word[] = [];
  // What `isspace` means in the C locale; a no-break space is no separator.
  for (const match of line.matchAll(/[^ \t\v\f\r]+/g)) {
    words.push({ text: match[0], start: match.index, end: match.index + match[0].length });
  }
  return words;
}

function note(code: string, text: string): LegacyNote {
  return { code, text };
}

const FORM = "id author branch path-of-yml alias READY";

const BLANK: Problem = {
  code: "blank_line",
  why: "The line is empty.",
  remedy: "Nothing to do.",
};
const COMMENT: Problem = {
  code: "comment",
  why: "The line begins with # and is no entry; the old program knows no comments.",
  remedy: `If it is a model, write it as "${FORM}" and run again.`,
};
const NO_ID: Problem = {
  code: "id_absent",
  why: "The line begins with a blank: the id is empty.",
  remedy: "Put the model's id before the blank and run again.",
};
const NO_ENTRY: Problem = {
  code: "no_entry",
  why: "The fourth word is no path and the sixth no status.",
  remedy: `If it is a model, write it as "${FORM}" and run again.`,
};

function cannotTell(): Problem {
  return {
    code: "ambiguous",
    why: "There are blanks inside a field, and where it begins and ends cannot be told.",
    remedy: `Give the model's files a path without blanks, write the line as "${FORM}" and run again; or add the model by hand.`,
  };
}

function incomplete(words: readonly Word[], context: LineContext): Problem {
  return words.length < FIELD_COUNT ? tooFew(words, context) : cannotTell();
}

function tooFew(words: readonly Word[], context: LineContext): Problem {
  if (!context.terminated) {
    return {
      code: "line_cut",
      why: `The last line was cut off: ${words.length} of ${FIELD_COUNT} fields are left, and no newline.`,
      remedy: "Complete the line from a backup and run again; or add the model by hand.",
    };
  }
  return {
    code: "too_few_fields",
    why: `The line has ${words.length} of ${FIELD_COUNT} fields; the old program drops it.`,
    remedy: `Write it as "${FORM}" and run again.`,
  };
}
