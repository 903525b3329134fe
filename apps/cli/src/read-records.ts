import { createReadStream } from "node:fs";

import { RegistryError, type JsonObject, type JsonValue } from "@cortex/model-db";

import { quote } from "./values.ts";

/** One record of a file, and where it stands: `line 3`, or `item 3` of a list. */
export interface FileRecord {
  readonly place: string;
  readonly record: JsonObject;
}

/** What `apply` reads: a file, which can be read again, or what came in on standard input. */
export type RecordSource = { readonly file: string } | { readonly text: string };

/**
 * The records of a source, one after the other: one JSON object per line, as `export` writes them, or
 * one JSON document, a list or `{ "data": […] }`, as `list --json` writes it.
 * @throws RegistryError `invalid_input` naming the line
 */
export async function* readRecords(source: RecordSource): AsyncGenerator<FileRecord> {
  let number = 0;
  let document: string[] | undefined;
  for await (const line of linesOf(source)) {
    number += 1;
    if (document !== undefined) {
      document.push(line);
    } else if (line.trim() !== "") {
      const value = tryParse(line);
      // A document over several lines begins with one that is no JSON by itself.
      if (number === 1 && (value === undefined || Array.isArray(value) || isDocument(value)))
        document = [line];
      else yield toRecord(value, `line ${number}`, line);
    }
  }
  if (document !== undefined) yield* ofDocument(document.join("\n"));
}

function* ofDocument(text: string): Generator<FileRecord> {
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch (error) {
    throw invalid(
      `The file is neither one JSON object per line nor one JSON document: ${(error as Error).message}`,
    );
  }
  const items = isDocument(value) ? value["data"] : value;
  if (!Array.isArray(items)) yield toRecord(value, "line 1", text);
  else
    for (const [index, item] of items.entries())
      yield toRecord(item, `item ${index + 1}`, JSON.stringify(item));
}

function isDocument(value: JsonValue): value is JsonObject {
  return isObject(value) && Array.isArray(value["data"]) && !Object.hasOwn(value, "model_id");
}

function toRecord(value: JsonValue | undefined, place: string, text: string): FileRecord {
  if (value !== undefined && isObject(value)) return { place, record: value };
  throw invalid(`${place} is no JSON object: ${quote(text)}`);
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function tryParse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

// Only LF ends a line: readline would also split at U+2028, which a JSON text may hold.
async function* linesOf(source: RecordSource): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of textOf(source)) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
  if (rest !== "") yield rest;
}

async function* textOf(source: RecordSource): AsyncGenerator<string> {
  if ("text" in source) {
    yield source.text;
    return;
  }
  try {
    yield* decode(createReadStream(source.file));
  } catch (error) {
    // Reading, unlike opening, does not say of what.
    if (error instanceof Error && "syscall" in error) Object.assign(error, { path: source.file });
    throw error;
  }
}

/** All of standard input as text. @throws RegistryError `invalid_input` when it is not UTF-8 */
export async function readStandardInput(): Promise<RecordSource> {
  const parts: string[] = [];
  for await (const part of decode(process.stdin)) parts.push(part);
  return { text: parts.join("") };
}

async function* decode(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true });
    yield decoder.decode();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_ENCODING_INVALID_ENCODED_DATA")
      throw invalid("The file is not UTF-8.");
    throw error;
  }
}

function invalid(message: string): RegistryError {
  return new RegistryError("invalid_input", message);
}
