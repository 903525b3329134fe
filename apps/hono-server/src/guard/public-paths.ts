/** What says nothing of the registry, and is open to all. */
const PUBLIC: ReadonlySet<string> = new Set(["/", "/healthz", "/readyz", "/openapi.json", "/docs"]);

/** Whether a path is answered without a token. */
export function isPublic(path: string): boolean {
  return PUBLIC.has(path) || path.startsWith("/docs/");
}

/** Whether a path is asked by what watches over the service: answered however busy it is. */
export function isProbe(path: string): boolean {
  return path === "/healthz" || path === "/readyz";
}
