import type { RouteDescription } from "../../src/route.ts";
import { harmless, toBytes, type Attack } from "./attack.ts";

const VALUES = [
  "-1",
  "0",
  "1e9",
  "1e400",
  "9007199254740993",
  "99999999999999999999",
  "-0",
  "NaN",
  "Infinity",
  "0x10",
  "1.5",
  "%00",
  "%1b",
  "%ff",
  "",
  "%20",
  "null",
  "undefined",
  "true",
  "[]",
  "%7b%7d",
  "'",
  "%22",
  "--",
  "%25",
  "a%0d%0aX-Injected:%201",
  "(a%2b)%2b$",
  "*",
  "%2a".repeat(500),
  "AND%20OR%20NOT%20NEAR(",
  "model_id;drop%20table%20model",
  "row_checksum",
  "__proto__",
  "constructor",
  "size_bytes%3e%3e4",
  "size_bytes%3e1e999",
  "a".repeat(4000),
  "eyJ4IjoxfQ",
  "AAAA",
  "bnVsbA",
  "..%2f..%2fetc%2fpasswd",
];

/** Each value in place of each parameter of a query. */
export function queries(routes: readonly Pick<RouteDescription, "method" | "path" | "request">[]): Attack[] {
  return routes.flatMap(({ method, path, request }) => {
    const names = Object.keys(request.query?.shape ?? {});
    return [...names, "no_such_parameter"].flatMap((name) =>
      VALUES.flatMap((value) => {
        const target = path.replaceAll(/\{\w+\}/g, "none");
        return [
          `${name}=${value}`,
          ...(value === "-1" ? [`${name}=1&${name}=2`, `${name}[]=1`, `${name}[__proto__]=1`] : []),
        ].map((query) => ({
          name: `${method.toUpperCase()} ${path}?${query.slice(0, 60)}`,
          path: target,
          bytes: toBytes(method.toUpperCase(), `${target}?${query}`),
          allows: harmless,
        }));
      }),
    );
  });
}
