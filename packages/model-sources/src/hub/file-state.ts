/**
 * What a server calls the state of a file, if it says so in a way that equal words mean equal bytes: a
 * strong ETag, else the time of the last change, where it lies back far enough that no second change can
 * have had the same (RFC 9110, 8.8).
 */
export function fileState(headers: Headers): string | null {
  const etag = headers.get("etag");
  if (etag?.startsWith('"') === true) return etag;
  const changed = headers.get("last-modified");
  const age = Date.parse(headers.get("date") ?? "") - Date.parse(changed ?? "");
  return changed !== null && age >= 60_000 ? changed : null;
}

/** The hash in an ETag of the hub. */
export function bareEtag(value: string): string {
  return value.replace(/^W\//, "").replaceAll('"', "").toLowerCase();
}
