/** Whether a path is asked by what watches over the service: answered however busy it is. */
export function isProbe(path: string): boolean {
  return path === "/healthz" || path === "/readyz";
}
