import { describe, expect } from "vitest";

import { errorSchema } from "../../src/schemas/error.ts";
import { startService, test } from "../harness.ts";
import { sendRaw } from "../raw-request.ts";

const ask = (host: string): string => `GET /v1/models HTTP/1.1\r\n${host}Connection: close\r\n\r\n`;

describe("a request is answered", () => {
  test.for([
    "localhost",
    "LOCALHOST:39281",
    "localhost.",
    "models.localhost",
    "127.0.0.1",
    "127.9.9.9:80",
    "[::1]:39281",
  ])("where it names this machine: %s", async (host, { service }) => {
    expect(await sendRaw({ port: service.port, bytes: ask(`Host: ${host}\r\n`) })).toMatchObject({
      status: 200,
    });
  });

  test("where it names a host that is allowed, and only then", async () => {
    await using service = await startService({ allowedHosts: ["Models.Example"] });
    const { port } = service;
    expect(await sendRaw({ port, bytes: ask("Host: models.example:8443\r\n") })).toMatchObject({
      status: 200,
    });
    expect(await sendRaw({ port, bytes: ask("Host: other.models.example\r\n") })).toMatchObject({
      status: 421,
    });
  });
});

describe("a request is refused", () => {
  test.for([
    ["another host", ask("Host: evil.example\r\n")],
    ["a name that only begins like ours", ask("Host: localhost.evil.example\r\n")],
    ["a name that only ends like ours", ask("Host: evillocalhost\r\n")],
    ["an address elsewhere", ask("Host: 192.0.2.1\r\n")],
    ["an address written as one number", ask("Host: 2130706433\r\n")],
    ["an address written short", ask("Host: 127.1\r\n")],
    ["no host", ask("")],
    ["an empty host", ask("Host:\r\n")],
    ["two hosts", ask("Host: localhost\r\nHost: evil.example\r\n")],
    ["the same host twice", ask("Host: localhost\r\nhost: localhost\r\n")],
    ["a list of hosts", ask("Host: localhost, evil.example\r\n")],
    ["a user in the host", ask("Host: localhost@evil.example\r\n")],
    ["a path in the host", ask("Host: localhost/x\r\n")],
    ["a port that is none", ask("Host: localhost:99999\r\n")],
    ["a whole address", "GET http://localhost/v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n"],
    ["a whole address elsewhere", "GET http://evil.example/v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n"],
    ["HTTP/1.0 without a host", "GET /v1/models HTTP/1.0\r\n\r\n"],
  ] as const)("that names %s", async ([, bytes], { service, expect: check }) => {
    const answer = await sendRaw({ port: service.port, bytes });
    check(answer.status).toBe(421);
    const { error } = errorSchema.parse(JSON.parse(answer.body));
    check(error).toMatchObject({ code: "forbidden_host", request_id: answer.headers["x-request-id"] });
  });

  test.for(["/healthz", "/openapi.json", "/", "/nothing"])("on every path: %s", async (path, { service }) => {
    const bytes = `GET ${path} HTTP/1.1\r\nHost: evil.example\r\n\r\n`;
    expect(await sendRaw({ port: service.port, bytes })).toMatchObject({ status: 421 });
  });
});
