import { deflateSync, gzipSync } from "node:zlib";

import type { RouteDescription } from "../../src/route.ts";
import { refused, toBytes, type Attack } from "./attack.ts";

const JSON_TYPE = "Content-Type: application/json";

/** Bodies that nobody should send, and the headers that they come with. */
export const BROKEN: readonly (readonly [
  name: string,
  body: string | Uint8Array,
  headers?: readonly string[],
])[] = [
  ["nothing", " "],
  ["null", "null"],
  ["a number", "1"],
  ["a text", `"a"`],
  ["a list", "[]"],
  ["half an object", `{"model_id":"a"`],
  ["a comma too many", `{"model_id":"a",}`],
  ["a comment", `{"model_id":"a"/*x*/}`],
  ["single quotes", `{'model_id':'a'}`],
  ["two objects", `{"model_id":"a"}{"model_id":"b"}`],
  ["NaN", `{"model_id":NaN}`],
  ["a key twice", `{"model_id":"a","model_id":"b","model":"a","model":"b","source":"a","source":"b"}`],
  ["a key twice in other letters", `{"model":"a","\\u006dodel":"b"}`],
  ["a prototype", `{"__proto__":{"model_id":"a","model":"a"}}`],
  ["a prototype in other letters", `{"\\u005f_proto__":{"model_id":"a"}}`],
  ["a prototype by its constructor", `{"constructor":{"prototype":{"model_id":"a"}}}`],
  ["100,000 levels of lists", `{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`],
  ["100,000 levels of objects", `${`{"a":`.repeat(100_000)}1${"}".repeat(100_000)}`],
  ["levels without an end", "[".repeat(500_000)],
  ["a byte order mark of UTF-16", Buffer.from("\ufeff{}", "utf16le")],
  ["bytes that are no UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
  ["an overlong slash", Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
  ["half of a pair", Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
  ["a NUL", `{"model_id":"a\0b"}`],
  [
    "an escaped NUL",
    `{"model_id":"a\\u0000b","source_type":"local","model":"a\\u0000b","source":"\\u0000","destination":"a"}`,
  ],
  [
    "an escape for terminals",
    `{"model_id":"a\\u001b[2J","source_type":"local","model":"\\u001b","source":"\\u001b","destination":"a"}`,
  ],
  [
    "a text from right to left",
    `{"model_id":"a\\u202eb","source_type":"local","model":"\\u202e","source":"\\u202e","destination":"a"}`,
  ],
  [
    "half a character, escaped",
    `{"model_id":"\\ud800","source_type":"local","model":"\\ud800","source":"\\ud800","destination":"a"}`,
  ],
  [
    "an endless id",
    `{"model_id":"${"a".repeat(2000)}","source_type":"local","model":"${"a".repeat(2000)}","source":"${"a".repeat(2000)}","destination":"a"}`,
  ],
  ["an id that is an object", `{"model_id":{"$ne":null},"model":{"$gt":""},"source":{},"destination":{}}`],
  ["an id that is a list", `{"model_id":["a"],"model":["a"],"source":["a"],"destination":["b"]}`],
  ["an id that is a number", `{"model_id":1,"model":1,"source":1,"destination":2}`],
  [
    "an unknown field",
    `{"model_id":"a","source_type":"local","is_admin":true,"row_checksum":"x","model":1,"source":1}`,
  ],
  [
    "a number beyond all",
    `{"model_id":"a","source_type":"local","size_bytes":1e999,"model":1e999,"source":1e999}`,
  ],
  [
    "a number that no double holds",
    `{"model_id":"a","source_type":"local","size_bytes":9007199254740993,"model":1,"source":1}`,
  ],
  ["a number below nothing", `{"model_id":"a","source_type":"local","size_bytes":-1,"model":-1,"source":-1}`],
  ["200,000 keys", `{${Array.from({ length: 60_000 }, (_, index) => `"k${index}":1`).join(",")}}`],
  ["more than 1 MiB", `{"model_id":"${"a".repeat(1_100_000)}"}`],
  ["a form", "model_id=a&model=a&source=a", ["Content-Type: application/x-www-form-urlencoded"]],
  [
    "a file in a form",
    `--x\r\nContent-Disposition: form-data; name="f"; filename="../../a"\r\n\r\nx\r\n--x--`,
    ["Content-Type: multipart/form-data; boundary=x"],
  ],
  [
    "XML",
    `<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>`,
    ["Content-Type: application/xml"],
  ],
  ["YAML", `!!js/function 'function(){}'`, ["Content-Type: application/yaml"]],
  ["UTF-7", "+AHsAfQ-", ["Content-Type: application/json; charset=utf-7"]],
  ["gzip", gzipSync(`{"model_id":"a"}`), [JSON_TYPE, "Content-Encoding: gzip"]],
  ["deflate", deflateSync(`{"model_id":"a"}`), [JSON_TYPE, "Content-Encoding: deflate"]],
  ["br, which it is not", "{}", [JSON_TYPE, "Content-Encoding: br"]],
  ["a bomb", gzipSync(Buffer.alloc(20_000_000, 0x20)), [JSON_TYPE, "Content-Encoding: gzip"]],
  ["a bomb without a word of it", gzipSync(Buffer.alloc(20_000_000, 0x20))],
  ["a bomb in chunks", "0\r\n\r\n", [JSON_TYPE, "Transfer-Encoding: gzip, chunked"]],
];

/** Each body for each route that takes one. */
export function bodies(routes: readonly RouteDescription[]): Attack[] {
  return routes
    .filter(({ request }) => request.body !== undefined)
    .flatMap(({ method, path }) =>
      BROKEN.map(([name, body, headers = [JSON_TYPE]]) => {
        const target = path.replaceAll(/\{\w+\}/g, "none");
        return {
          name: `${method.toUpperCase()} ${path} with ${name}`,
          path: target,
          bytes: toBytes(method.toUpperCase(), target, headers, body),
          allows: refused,
        };
      }),
    );
}
