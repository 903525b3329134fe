import {
  formatCount,
  formatSize,
  MODEL_FIELDS,
  MODEL_STATUS,
  toRecord,
  toVisible,
  type Field,
  type JsonValue,
  type Model,
} from "@cortex/model-db";

import { formatExact, formatRelative } from "./time.ts";

/** The fields of a model for people, by the same names as in JSON; what is not known is an empty text. */
export function modelFields(model: Model): [name: string, value: string][] {
  const record = toRecord(model);
  return MODEL_FIELDS.map((field) => [field.name, formatValue(field, record[field.name] ?? null)]);
}

function formatValue({ name, type }: Field, value: JsonValue): string {
  if (value === null || value === "") return "";
  switch (type) {
    case "time":
      return `${formatExact(value as number)} (${formatRelative(value as number)})`;
    case "bytes":
      return `${formatSize(value as number)} (${value as number} bytes)`;
    case "status":
      return value === MODEL_STATUS.RUNNING ? "RUNNING" : "READY";
    case "boolean":
      return value === true ? "yes" : "no";
    case "integer":
      return name === "parameter_count"
        ? `${formatCount(value as number)} (${value as number})`
        : JSON.stringify(value);
    case "list":
      return toVisible((value as string[]).join(", "));
    case "object":
      return Object.entries(value)
        .map(([key, item]) => toVisible(`${key}: ${typeof item === "string" ? item : JSON.stringify(item)}`))
        .join("\n");
    case "text":
      break;
  }
  return (value as string).split("\n").map(toVisible).join("\n");
}
