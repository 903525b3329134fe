import type { AccessToken, User } from "./access.ts";
import type { EventOrigin, ModelEvent } from "./event.ts";
import { MODEL_FIELDS, type Field, type ModelField } from "./fields.ts";
import type { JsonObject, JsonValue, Model, ModelFile } from "./model.ts";
import type { Run } from "./run.ts";
import type { Transfer, TransferFile } from "./transfer.ts";

/** A model as data: the words of the columns as keys, in their order. */
export type ModelRecord = { [K in ModelField]: JsonValue };

/** The model as data, for `--json`, HTTP and files. Times stay Unix milliseconds. */
export function toRecord(model: Model): ModelRecord {
  const record: JsonObject = {};
  for (const { name, property } of MODEL_FIELDS) record[name] = model[property] as JsonValue;
  return record as ModelRecord;
}

/** A model and its files as the history keeps them: what is not known or empty goes without saying. */
export function toHistoryRecord(model: Model, files: readonly ModelFile[]): JsonObject {
  const record: JsonObject = {};
  for (const { name, property } of MODEL_FIELDS) {
    const value = model[property] as JsonValue;
    if (!isAbsent(value)) record[name] = value;
  }
  if (files.length > 0) record["files"] = files.map(toFileRecord);
  return record;
}

function isAbsent(value: JsonValue): boolean {
  if (typeof value === "object") return value === null || Object.keys(value).length === 0;
  return value === false;
}

const ABSENT = { text: null, integer: null, time: null, bytes: null, boolean: false, status: 0 } as const;

/** The model of a record from which whatever is unknown or empty may have been left out. */
export function fromRecord(record: JsonObject): Model {
  return Object.fromEntries(
    MODEL_FIELDS.map(({ name, property, type }) => [property, record[name] ?? absent(type)]),
  ) as unknown as Model;
}

function absent(type: Field["type"]): JsonValue {
  if (type === "list") return [];
  return type === "object" ? {} : ABSENT[type];
}

/** The history entry as data. */
export function toEventRecord(event: ModelEvent): JsonObject {
  return { ...toSnakeCase(event), origin: event.origin && toOriginRecord(event.origin) };
}

/** The history entry of a record made by {@link toEventRecord}. */
export function fromEventRecord(record: JsonObject): ModelEvent {
  // One that was written before there were origins has none.
  const origin = (record["origin"] ?? null) as JsonObject | null;
  return { ...(toCamelCase(record) as unknown as ModelEvent), origin: origin && fromOriginRecord(origin) };
}

/** Where a change came from, as data. */
export function toOriginRecord({ address, requestId }: EventOrigin): JsonObject {
  return { address, request_id: requestId };
}

/** The origin of a record made by {@link toOriginRecord}. */
export function fromOriginRecord(record: JsonObject): EventOrigin {
  return toCamelCase(record) as unknown as EventOrigin;
}

/** The lease as data. */
export function toRunRecord(run: Run): JsonObject {
  return toSnakeCase(run);
}

/** The user as data. */
export function toUserRecord({ grants, ...user }: User): JsonObject {
  return { ...toSnakeCase(user), grants: grants.map(toSnakeCase) };
}

/** The access token as data: all but what is secret about it. */
export function toTokenRecord(token: AccessToken): JsonObject {
  return toSnakeCase(token);
}

/** The file as data. */
export function toFileRecord(file: ModelFile): JsonObject {
  return toSnakeCase(file);
}

/** The file of a record made by {@link toFileRecord}. */
export function fromFileRecord(record: JsonObject): ModelFile {
  return toCamelCase(record) as unknown as ModelFile;
}

/** The transfer as data. */
export function toTransferRecord({ files, origin, ...transfer }: Transfer): JsonObject {
  const record = toSnakeCase(transfer);
  return { ...record, files: files.map(toTransferFileRecord), origin: origin && toOriginRecord(origin) };
}

/** The file of a transfer as data. */
export function toTransferFileRecord(file: TransferFile): JsonObject {
  return toSnakeCase(file);
}

/** The file of a record made by {@link toTransferFileRecord}. */
export function fromTransferFileRecord(record: JsonObject): TransferFile {
  return toCamelCase(record) as unknown as TransferFile;
}

/** Data under the names that its fields have in code, for whatever takes it: `model_id` becomes `modelId`. */
export function toProperties(record: JsonObject): JsonObject {
  return toCamelCase(record);
}

function toSnakeCase(value: object): JsonObject {
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      item as JsonValue,
    ]),
  );
}

function toCamelCase(record: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(record).map(([key, item]) => [
      key.replace(/_[a-z]/g, ([, letter]) => letter!.toUpperCase()),
      item,
    ]),
  );
}
