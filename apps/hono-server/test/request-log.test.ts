import type { OutgoingHttpHeaders } from "node:http";

import fc from "fast-check";
import { expect, test } from "vitest";

import type { AppOptions } from "../src/index.ts";
import { RequestLog, type Answered, type ServiceLog } from "../src/request-log.ts";
import { ROUTES } from "../src/routes/index.ts";
import { EventReader } from "./event-reader.ts";
import { startService } from "./harness.ts";
import { sendRaw } from "./raw-request.ts";

const ANSWERED: fc.Arbitrary<Answered> = fc.record({
  requestId: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/),
  method: fc.constantFrom("GET", "PATCH", "M-SEARCH"),
  path: fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("/v1/models/a", "/nowhere", "/healthz")),
  route: fc.constantFrom(undefined, ...ROUTES.map(({ path }) => path)),
  status: fc.constantFrom(200, 304, 404, 503),
  startedAt: fc.double({ min: 0, max: 1000, noNaN: true }),
  address: fc.constantFrom(undefined, "local", "127.0.0.1", "fe80::1%eth0"),
  user: fc.oneof(fc.constant(undefined), fc.string({ unit: "binary" })),
  isCut: fc.boolean(),
  error: fc.constant(undefined),
});

test("a log that takes the text of an answered request is told the same as one that takes its fields", () => {
  let told: string[] = [];
  const note = (fields: object, message: string): void =>
    void told.push(JSON.stringify({ ...fields, message }));
  const plain: ServiceLog = { debug: note, info: note, error: note };
  const fast: ServiceLog = {
    ...plain,
    answered: (fields) => void told.push(`{${fields},"message":"Answered"}`),
  };
  const logs = [plain, fast].map((log) => new RequestLog(log, ROUTES));
  fc.assert(
    fc.property(ANSWERED, (answered) => {
      told = [];
      for (const log of logs) log.write(answered);
      const [own, other] = told.map((line) => line.replace(/"duration_ms":[\d.e-]+/, ""));
      expect(other).toBe(own);
    }),
    { numRuns: 2000 },
  );
});

type Line = Readonly<Record<string, unknown>>;

/** A log that is kept, and the option that has a service write it. */
function keptLog(): { lines: Line[]; log: NonNullable<AppOptions["log"]> } {
  const lines: Line[] = [];
  const at = (level: string) => (fields: object) => void lines.push({ level, ...fields });
  return { lines, log: { debug: at("debug"), info: at("info"), error: at("error") } };
}

function requestOf(headers: OutgoingHttpHeaders, path = "/v1/models"): string {
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().map((each) => `${name}: ${each}\r\n`),
  );
  return `GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

test.for([
  { why: "another host", bytes: requestOf({ Host: "evil.example" }), status: 421 },
  { why: "a page of another site", bytes: requestOf({ Host: "localhost", Origin: "null" }), status: 403 },
  { why: "two hosts", bytes: requestOf({ Host: ["localhost", "evil.example"] }), status: 421 },
  { why: "no host", bytes: requestOf({}), status: 421 },
  {
    why: "an address without an end",
    bytes: requestOf({ Host: "localhost" }, `/v1/models?search=${"a".repeat(9000)}`),
    status: 414,
  },
])("who is refused for $why is logged with where they ask from", async ({ bytes, status }) => {
  const { lines, log } = keptLog();
  await using service = await startService({ log });
  const answer = await sendRaw({ port: service.port, bytes });
  expect(answer.status).toBe(status);
  await expect.poll(() => lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({
    level: "info",
    request_id: answer.headers["x-request-id"],
    method: "GET",
    route: "/v1/models",
    status,
    address: "127.0.0.1",
  });
  const figures = await (await fetch(`${service.url}/metrics`)).text();
  const count = `cortex_http_request_duration_seconds_count{route="/v1/models",method="GET",status="${status}"} 1`;
  expect(figures).toContain(count);
});

test("who is to come again later is no failure of the service", async () => {
  const { lines, log } = keptLog();
  await using service = await startService({ log, maxListeners: 1 });
  using events = await EventReader.open(`${service.url}/v1/events`);
  await events.nextEvent();
  expect((await fetch(`${service.url}/v1/events`)).status).toBe(503);
  await expect.poll(() => lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ level: "info", status: 503 });
  expect(lines[0]!["err"]).toBeUndefined();
});

test("why the service is not ready is in its log", async () => {
  const { lines, log } = keptLog();
  await using service = await startService({ log });
  await service.registry.close();
  expect((await fetch(`${service.url}/readyz`)).status).toBe(503);
  await expect.poll(() => lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ level: "error", status: 503, err: { code: "registry_closed" } });
});
