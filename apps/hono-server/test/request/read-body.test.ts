import { gzipSync } from "node:zlib";

import { describe, expect } from "vitest";

import { mount } from "../../src/mount.ts";
import { readLines } from "../../src/request/read-lines.ts";
import { route } from "../../src/route.ts";
import { echo } from "../echo-route.ts";
import { startService, test as base } from "../harness.ts";
import { sendRaw } from "../raw-request.ts";

/** Says how long the lines of a body are. */
const lines = route({
  method: "post",
  path: "/lines",
  operationId: "lines",
  summary: "",
  tag: "models",
  request: {},
  responses: {},
  errors: [],
  handle: async (c) => {
    const lengths: number[] = [];
    for await (const { bytes } of readLines(c)) lengths.push(Buffer.from(bytes).toString().trim().length);
    return c.json(lengths);
  },
});

const test = base.extend<{
  port: number;
  send: (text: string, headers?: string) => ReturnType<typeof sendRaw>;
}>({
  // oxlint-disable-next-line no-empty-pattern -- vitest reads the names of fixtures from here
  port: async ({}, use) => {
    await using service = await startService();
    mount(service.app, echo);
    mount(service.app, lines);
    await use(service.port);
  },
  send: async ({ port }, use) => {
    await use(async (text, headers = "Content-Type: application/json\r\n") =>
      sendRaw({ port, bytes: post("/echo", text, headers) }),
    );
  },
});

function post(path: string, body: string | Uint8Array, headers: string): Uint8Array {
  const bytes = Buffer.from(body);
  const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}Content-Length: ${bytes.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), bytes]);
}

function chunked(path: string, chunks: readonly string[], type: string): string {
  const body = chunks.map((chunk) => `${Buffer.byteLength(chunk).toString(16)}\r\n${chunk}\r\n`).join("");
  return `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\n\r\n${body}0\r\n\r\n`;
}

describe("a body is read", () => {
  test.for([
    "application/json",
    "Application/JSON; charset=utf-8",
    `application/json;charset="UTF-8"`,
    "application/merge-patch+json",
  ])("as %s", async (type, { send }) => {
    const answer = await send(`{"name":"é"}`, `Content-Type: ${type}\r\n`);
    expect(answer).toMatchObject({ status: 200, body: `{"name":"é"}` });
  });

  test("in pieces, split within a character", async ({ port }) => {
    const bytes = Buffer.from(chunked("/echo", [`{"name":"`, "\u00e9", `"}`], "application/json"));
    expect(await sendRaw({ port, bytes })).toMatchObject({ status: 200, body: `{"name":"é"}` });
  });

  test("once, and what is said of the garbage after it is not taken for its answer", async ({ port }) => {
    const one = post("/echo", `{"name":"a"}`, "Content-Type: application/json\r\n");
    const answer = await sendRaw({ port, bytes: Buffer.concat([one, Buffer.from("GARBAGE\r\n\r\n")]) });
    expect([0, 200]).toContain(answer.status);
  });
});

describe("a body is refused", () => {
  test.for([
    ["without a type", ""],
    ["as text", "Content-Type: text/plain\r\n"],
    ["as a form", "Content-Type: application/x-www-form-urlencoded\r\n"],
    ["as a type that begins alike", "Content-Type: application/jsonp\r\n"],
    ["in another charset", "Content-Type: application/json; charset=utf-16\r\n"],
    ["in UTF-7", "Content-Type: application/json; charset=utf-7\r\n"],
    ["compressed", "Content-Type: application/json\r\nContent-Encoding: gzip\r\n"],
    ["compressed twice", "Content-Type: application/json\r\nContent-Encoding: identity, br\r\n"],
  ] as const)("%s", async ([, headers], { send }) => {
    const answer = await send(`{"name":"a"}`, headers);
    expect(answer).toMatchObject({ status: 415 });
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code: "unsupported_media_type" } });
  });

  test.for([
    ["that is empty", ""],
    ["that is no JSON", "{"],
    ["with a key twice", `{"name":"a","name":"b"}`],
    ["with a prototype", `{"name":"a","__proto__":{}}`],
    ["with a field too many", `{"name":"a","nam":"b"}`],
    ["with a number that no double holds", `{"name":"a","count":9007199254740993}`],
    ["with a number beyond all", `{"name":"a","count":1e400}`],
    ["with a fraction", `{"name":"a","count":1.5}`],
    ["with too many levels", `{"name":${"[".repeat(100_000)}${"]".repeat(100_000)}}`],
  ] as const)("%s", async ([, text], { send }) => {
    const answer = await send(text);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code: "invalid_input" } });
  });

  test.for([
    ["half a character", [0x22, 0xc3, 0x22]],
    ["a character in too many bytes", [0x22, 0xc0, 0xaf, 0x22]],
    ["half of a pair", [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ["UTF-16", [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
  ] as const)("that is not UTF-8: %s", async ([, bytes], { port }) => {
    const answer = await sendRaw({
      port,
      bytes: post("/echo", Uint8Array.from(bytes), "Content-Type: application/json\r\n"),
    });
    expect(answer.status).toBe(400);
    expect(answer.body).toContain("not UTF-8");
  });

  test("that is a bomb", async ({ port }) => {
    const bomb = gzipSync(Buffer.alloc(50_000_000, " "));
    const headers = "Content-Type: application/json\r\nContent-Encoding: gzip\r\n";
    expect(await sendRaw({ port, bytes: post("/echo", bomb, headers) })).toMatchObject({ status: 415 });
  });

  test("that says it is too large, before it has come", async ({ port }) => {
    const bytes =
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1048577\r\n\r\n";
    expect(await sendRaw({ port, bytes })).toMatchObject({ status: 413, headers: { connection: "close" } });
  });

  test("that turns out to be too large", async ({ port }) => {
    const bytes = chunked(
      "/echo",
      Array.from({ length: 20 }, () => " ".repeat(65_536)),
      "application/json",
    );
    const answer = await sendRaw({ port, bytes });
    expect(answer.status).toBe(413);
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code: "payload_too_large" } });
  });

  test("that ends early", async ({ port }) => {
    const bytes =
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{";
    expect((await sendRaw({ port, bytes, ends: true })).status).toBe(400);
  });
});

describe("a body of lines", () => {
  const NDJSON = "application/x-ndjson";

  test("may be of any length", async ({ port }) => {
    const chunks = Array.from({ length: 100 }, () => `${"x".repeat(65_535)}\n`);
    const answer = await sendRaw({ port, bytes: chunked("/lines", chunks, NDJSON) });
    expect(JSON.parse(answer.body)).toHaveLength(100);
  });

  test("is split where lines end, not where pieces do", async ({ port }) => {
    const bytes = chunked("/lines", ["{}\n\n[", "1]\r", "\n", '"é', '"'], NDJSON);
    expect(await sendRaw({ port, bytes })).toMatchObject({ status: 200, body: "[2,3,3]" });
  });

  test("has no line of more than 1 MiB", async ({ port }) => {
    const chunks = Array.from({ length: 17 }, () => "x".repeat(65_536));
    expect(await sendRaw({ port, bytes: chunked("/lines", chunks, NDJSON) })).toMatchObject({ status: 413 });
  });

  test("says what it is", async ({ port }) => {
    expect(await sendRaw({ port, bytes: chunked("/lines", ["{}"], "application/json") })).toMatchObject({
      status: 415,
    });
  });
});
