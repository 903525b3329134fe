import { RegistryError, type Model } from "@cortex/model-db";

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

/** Whether an `If-None-Match` names a validator: weak ones count (RFC 9110, 13.1.2). */
export function namesEtag(header: string, etag: string): boolean {
  // Nearly always it is the one that was sent.
  return header === etag || header.trim() === "*" || listed(header).some(({ tag }) => tag === etag);
}

/**
 * Refuses a change unless `If-Match` names the model as it is: weak validators do not count (RFC 9110, 13.1.1).
 *
 * @throws RegistryError `row_version_mismatch`.
 */
export function checkIfMatch(header: string, model: Model): void {
  if (header.trim() === "*") return;
  const etag = etagOf(model);
  if (listed(header).some(({ weak, tag }) => !weak && tag === etag)) return;
  throw new RegistryError(
    "row_version_mismatch",
    `The model is at ${etag} by now, which If-Match does not name. Read it again and repeat the change.`,
  );
}

function listed(header: string): { weak: boolean; tag: string }[] {
  return Array.from(header.matchAll(/(W\/)?("[^"]*")/g), ([, weak, tag]) => ({
    weak: weak !== undefined,
    tag: tag!,
  }));
}
