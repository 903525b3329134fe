import fc, { type Arbitrary } from "fast-check";

import type { Operation, Schema } from "./operations.ts";
import { json, text, valueOf } from "./values.ts";

/** A request as it goes over the wire. */
export interface FuzzRequest {
  /** What it asks for; `undefined` where its bytes were garbled, so that nobody can tell. */
  readonly operation: Operation | undefined;
  readonly path: string;
  readonly bytes: Uint8Array;
}

const HEADERS = [
  "Accept: text/event-stream",
  "If-None-Match: *",
  "If-Match: *",
  `If-Match: "1-x-0"`,
  `If-None-Match: W/"x", "y"`,
  "Prefer: return=minimal",
  "Idempotency-Key: k-1",
  "X-Request-Id: r-1",
  "X-Request-Id: \x01",
  "Content-Encoding: gzip",
  "Expect: 100-continue",
  "Expect: x",
  "Range: bytes=0-1",
  "Last-Event-ID: 1",
  "Last-Event-ID: -1",
  "Origin: https://evil.example",
  "Authorization: Bearer x",
  "Content-Type: text/plain",
  "Host: evil.example",
  "Cookie: a=b",
  "Accept-Encoding: gzip",
];

/** Requests for every operation: as documented, with one part that is not, and with bytes that are wrong. */
export function requests(operations: readonly Operation[]): Arbitrary<FuzzRequest> {
  return fc.oneof(...operations.map(requestOf));
}

function requestOf(operation: Operation): Arbitrary<FuzzRequest> {
  const { method, path, parameters, body } = operation;
  const ofKind = (kind: string): Arbitrary<[string, unknown][]> =>
    fc
      .tuple(
        ...parameters
          .filter((one) => one.in === kind)
          .map((one) => given(one.name, one.schema, one.required === true)),
      )
      .map((all) => all.flat());
  const parts = fc.record({
    path: ofKind("path"),
    query: fc.oneof(
      { weight: 6, arbitrary: ofKind("query") },
      { weight: 1, arbitrary: fc.array(fc.tuple(text, json), { maxLength: 3 }) },
    ),
    headers: ofKind("header"),
    extra: fc.oneof(
      { weight: 4, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.subarray(HEADERS, { maxLength: 2 }) },
    ),
    content: body === undefined ? fc.constant("") : bodyOf(body),
    garble: fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: garbled }),
  });
  return parts.map(({ path: names, query, headers, extra, content, garble }) => {
    const target = path.replaceAll(
      /\{(\w+)\}/g,
      (_, name: string) => encode(names.find(([known]) => known === name)?.[1]) || "a",
    );
    const search = query.map(([name, value]) => `${encode(name)}=${encode(value)}`).join("&");
    const lines = [
      `${method.toUpperCase()} ${target}${search === "" ? "" : `?${search}`} HTTP/1.1`,
      "Host: localhost",
      "Connection: close",
      ...headers.map(([name, value]) => `${name}: ${String(value).replaceAll(/[^ -~]/g, "?")}`),
      ...extra,
      ...(content === ""
        ? []
        : [`Content-Type: ${body!.type}`, `Content-Length: ${Buffer.byteLength(content)}`]),
    ];
    const bytes = Buffer.from(`${lines.join("\r\n")}\r\n\r\n${content}`);
    if (garble === undefined) return { operation, path: target, bytes };
    return { operation: undefined, path: target, bytes: garble(bytes) };
  });
}

function given(name: string, schema: Schema, isRequired: boolean): Arbitrary<[string, unknown][]> {
  const one = fc.oneof({ weight: 5, arbitrary: valueOf(schema) }, { weight: 1, arbitrary: text });
  // A list is a parameter that is repeated.
  const all = one.map((value): [string, unknown][] =>
    Array.isArray(value) ? value.map((each) => [name, each]) : [[name, value]],
  );
  return isRequired
    ? all
    : fc.oneof({ weight: 3, arbitrary: fc.constant<[string, unknown][]>([]) }, { weight: 1, arbitrary: all });
}

function bodyOf({ type, schema }: { type: string; schema: Schema }): Arbitrary<string> {
  const line = fc
    .oneof({ weight: 6, arbitrary: valueOf(schema) }, { weight: 1, arbitrary: json })
    .map((value) => JSON.stringify(value) ?? "");
  const whole =
    type === "application/json" ? line : fc.array(line, { maxLength: 5 }).map((lines) => lines.join("\n"));
  return fc.oneof(
    { weight: 8, arbitrary: whole },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 60 }) },
  );
}

/** Changes, leaves out or puts in some bytes. */
const garbled: Arbitrary<(bytes: Uint8Array) => Uint8Array> = fc
  .array(
    fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      cut: fc.nat(4),
      put: fc.uint8Array({ maxLength: 4 }),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((changes) => (bytes) => {
    let changed = Buffer.from(bytes);
    for (const { at, cut, put } of changes) {
      const place = Math.floor(at * changed.length);
      changed = Buffer.concat([changed.subarray(0, place), put, changed.subarray(place + cut)]);
    }
    return changed;
  });

function encode(value: unknown): string {
  const word = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return encodeURIComponent(word.toWellFormed());
}
