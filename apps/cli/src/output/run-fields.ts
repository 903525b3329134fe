import { toVisible, type Run } from "@cortex/model-db";

import { formatExact, formatRelative } from "./time.ts";

/** The fields of a lease for people, by the same names as in JSON. */
export function runFields(run: Run): [name: string, value: string][] {
  return [
    ["model_id", toVisible(run.modelId)],
    ["token", String(run.token)],
    ["holder", toVisible(run.holder)],
    ["node", toVisible(run.node)],
    ["pid", run.pid === null ? "" : String(run.pid)],
    ["endpoint", toVisible(run.endpoint ?? "")],
    ["started_at", `${formatExact(run.startedAt)} (${formatRelative(run.startedAt)})`],
    ["expires_at", `${formatExact(run.expiresAt)} (${formatRelative(run.expiresAt)})`],
  ];
}
