import { MODEL_STATUS, toVisible, type JsonValue, type ModelEvent } from "@cortex/model-db";

import { formatDuration, formatExact } from "./time.ts";

const LONGEST_VALUE = 60;

/** What an event changed, in one line: `alias: tiny → tinyllama, notes: "…"`. */
export function describeChanges({ kind, before, after }: ModelEvent): string {
  if (kind === "created" || kind === "deleted") return "";
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  return names
    .filter((name) => name !== "last_used_at" && !(isNothing(before?.[name]) && isNothing(after?.[name])))
    .map((name) => toVisible(describeField(name, before?.[name], after?.[name])))
    .join(", ");
}

function describeField(name: string, before: JsonValue | undefined, after: JsonValue | undefined): string {
  if (name === "status") return `status: ${statusWord(before)} → ${statusWord(after)}`;
  if (name.endsWith("_at") && typeof (after ?? before) === "number") {
    const times = [before, after].filter((time) => typeof time === "number").map(formatExact);
    return `${name}: ${times.join(" → ")}`;
  }
  if (name === "ttl_ms") return `ttl: ${formatDuration(Number(after))}`;
  if (Array.isArray(before) && Array.isArray(after)) {
    const gone = before.filter((item) => !includes(after, item)).map((item) => `-${brief(item)}`);
    const come = after.filter((item) => !includes(before, item)).map((item) => `+${brief(item)}`);
    return `${name}: ${[...come, ...gone].join(" ")}`;
  }
  if (isNothing(before)) return `${name}: ${brief(after)}`;
  return `${name}: ${brief(before)} → ${isNothing(after) ? "none" : brief(after)}`;
}

function statusWord(status: JsonValue | undefined): string {
  return status === MODEL_STATUS.RUNNING ? "RUNNING" : "READY";
}

function includes(list: readonly JsonValue[], wanted: JsonValue): boolean {
  return list.some((item) => JSON.stringify(item) === JSON.stringify(wanted));
}

function isNothing(value: JsonValue | undefined): boolean {
  return value === undefined || value === null || value === "";
}

function brief(value: JsonValue | undefined): string {
  const text = typeof value === "string" ? value : JSON.stringify(value ?? null);
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE - 1)}…` : text;
}
