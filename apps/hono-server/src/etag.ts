import type { Model } from "@cortex/model-db";

/**
 * The strong validator of a model's record, without a hash of its own: its version, the checksum that is
 * stored with it, and the status, which changes by itself when a lease runs out.
 */
export function etagOf({
  rowVersion,
  rowChecksum,
  updatedAt,
  status,
}: Pick<Model, "rowVersion" | "rowChecksum" | "updatedAt" | "status">): string {
  return `"${rowVersion}-${rowChecksum || updatedAt.toString(36)}-${status}"`;
}

/** Whether an `If-None-Match` or `If-Match` names a validator (RFC 9110, 8.8.3 and 13.1). */
export function namesEtag(header: string, etag: string): boolean {
  if (header === etag || header === "*") return true;
  return header.split(",").some((candidate) => candidate.trim().replace(/^W\//, "") === etag);
}
