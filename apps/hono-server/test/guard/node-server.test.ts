import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

import { describe, expect, onTestFinished } from "vitest";

import { mount } from "../../src/mount.ts";
import { errorSchema } from "../../src/schemas/error.ts";
import { echo } from "../echo-route.ts";
import { startService, test } from "../harness.ts";
import { sendRaw } from "../raw-request.ts";

const HEAD = "GET /v1/models HTTP/1.1\r\nHost: localhost\r\n";

describe("what is no request is answered like any other failure", () => {
  test.for([
    ["garbage", "\0\u0001\u0002 hello\r\n\r\n", 400, "malformed_request"],
    ["a TLS handshake", "\u0016\u0003\u0001\u0002\0\u0001\0\u0001\r\n\r\n", 400, "malformed_request"],
    ["a version that there is not", "GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", 400, "malformed_request"],
    ["a method that there is not", "FOO / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "malformed_request"],
    ["a blank before a colon", `${HEAD}X-A : b\r\n\r\n`, 400, "malformed_request"],
    ["a header over two lines", `${HEAD}X-A: b\r\n c\r\n\r\n`, 400, "malformed_request"],
    ["a NUL in a header", `${HEAD}X-A: b\0c\r\n\r\n`, 400, "malformed_request"],
    ["a carriage return in a header", `${HEAD}X-A: b\rc\r\n\r\n`, 400, "malformed_request"],
    [
      "a length and chunks",
      `${HEAD}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
      "malformed_request",
    ],
    ["two lengths", `${HEAD}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`, 400, "malformed_request"],
    ["a length below nothing", `${HEAD}Content-Length: -1\r\n\r\n`, 400, "malformed_request"],
    ["a chunk without an end", `${HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 400, "malformed_request"],
    ["a path with a blank", "GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "malformed_request"],
    ["a path that is none", "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "malformed_request"],
    [
      "two tokens",
      `${HEAD}Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n`,
      400,
      "malformed_request",
    ],
    [
      "two types",
      `${HEAD}Content-Type: text/plain\r\nContent-Type: application/json\r\n\r\n`,
      400,
      "malformed_request",
    ],
    [
      "an encoding of the whole",
      `${HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
      415,
      "unsupported_media_type",
    ],
    ["headers without an end", `${HEAD}X-A: ${"b".repeat(20_000)}\r\n\r\n`, 431, "headers_too_large"],
    ["10,000 headers", `${HEAD}${"A: b\r\n".repeat(10_000)}\r\n`, 431, "headers_too_large"],
    ["an endless path", `GET /${"a".repeat(9000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, 414, "uri_too_long"],
    [
      "an endless query",
      `GET /v1/models?cursor=${"a".repeat(9000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
      414,
      "uri_too_long",
    ],
    ["an expectation", `${HEAD}Expect: a-miracle\r\n\r\n`, 417, "expectation_failed"],
  ] as const)("%s", async ([, bytes, status, code], { service, expect: check }) => {
    const answer = await sendRaw({ port: service.port, bytes: Buffer.from(bytes, "latin1") });
    check(answer.status).toBe(status);
    const { error } = errorSchema.parse(JSON.parse(answer.body));
    check(error.code).toBe(code);
    check(error.request_id).toBe(answer.headers["x-request-id"]);
  });
});

describe("a connection that is kept waiting", () => {
  test("for headers is ended", async ({ service }) => {
    service.server.headersTimeout = 200;
    const answer = await sendRaw({ port: service.port, bytes: HEAD });
    expect(answer.status).toBe(408);
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code: "request_timeout" } });
  });

  test("for headers that trickle in is ended", async ({ service }) => {
    service.server.headersTimeout = 200;
    const socket = connect(service.port, "127.0.0.1");
    socket.on("error", () => {});
    const ended = once(socket.resume(), "end");
    socket.write(HEAD);
    const trickle = setInterval(() => socket.write("X-A: b\r\n"), 20);
    await ended;
    clearInterval(trickle);
    socket.destroy();
  });

  test("for a body is ended", async ({ service }) => {
    service.server.headersTimeout = 200;
    service.server.requestTimeout = 200;
    mount(service.app, echo);
    const bytes =
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\nContent-Type: application/json\r\n\r\n{";
    expect(await sendRaw({ port: service.port, bytes })).toMatchObject({ status: 408 });
  });
});

test("nothing is said of broken requests within an answer that has begun", async ({ service }) => {
  const bytes = `${HEAD.replace("models", "events")}Transfer-Encoding: chunked\r\n\r\n`;
  const answer = await sendRaw({ port: service.port, bytes, ends: true, settleMs: 300 });
  expect(answer.count).toBeLessThanOrEqual(1);
});

test("a client that is gone before its answer harms nobody", async ({ service }) => {
  for (let count = 0; count < 100; count += 1) {
    const socket = connect(service.port, "127.0.0.1");
    socket.on("error", () => {});
    await once(socket, "connect");
    socket.write(`${HEAD}\r\n`);
    socket.resetAndDestroy();
  }
  await sleep(50);
  expect((await fetch(`${service.url}/v1/models`)).status).toBe(200);
});

describe("more requests at once than are allowed", () => {
  test("are refused, to be asked again", async () => {
    await using service = await startService({ maxConcurrent: 2 });
    mount(service.app, echo);
    // These are under way as long as their bodies are.
    const slow = [1, 2].map(() => {
      const socket = connect(service.port, "127.0.0.1");
      socket.on("error", () => {});
      socket.write(
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
      );
      return socket;
    });
    await expect
      .poll(async () => (await fetch(`${service.url}/v1/models`)).status, { timeout: 5000 })
      .toBe(503);
    const refused = await fetch(`${service.url}/v1/models`);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(await refused.json()).toMatchObject({ error: { code: "too_busy" } });
    for (const socket of slow) socket.destroy();
    await expect
      .poll(async () => (await fetch(`${service.url}/v1/models`)).status, { timeout: 5000 })
      .toBe(200);
  });

  test("are refused to one client before the others have no room", async () => {
    await using service = await startService({ maxConcurrent: 4, trustProxy: ["private"] });
    mount(service.app, echo);
    const ask = async (address: string): Promise<number> =>
      (await fetch(`${service.url}/v1/models`, { headers: { "x-forwarded-for": address } })).status;
    const slow = [1, 2, 3].map(() => {
      const socket = connect(service.port, "127.0.0.1");
      socket.on("error", () => {});
      socket.write(
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 203.0.113.9\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
      );
      return socket;
    });
    await expect.poll(() => ask("203.0.113.9"), { timeout: 5000 }).toBe(429);
    expect(await ask("203.0.113.10")).toBe(200);
    for (const socket of slow) socket.destroy();
    await expect.poll(() => ask("203.0.113.9"), { timeout: 5000 }).toBe(200);
  });

  test("are let go where a client takes nothing of its answers", async () => {
    await using service = await startService();
    const { server, port } = service;
    // Node looks at it when a connection comes.
    server.timeout = 1000;
    const many = "GET /docs HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(200);
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {}).on("connect", () => socket.pause().write(many));
    onTestFinished(() => void socket.destroy());
    await once(server, "connection");
    const connections = async (): Promise<number> => promisify(server.getConnections.bind(server))();
    await expect.poll(connections, { timeout: 10_000 }).toBe(0);
  });
});
