import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import type { NewGrant, Registry } from "@cortex/model-db";
import fc from "fast-check";
import { describe, expect, vi } from "vitest";

import { createNodeServer, type App } from "../../src/index.ts";
import { Places } from "../../src/lane/places.ts";
import { ROUTES } from "../../src/routes/index.ts";
import { startService, test } from "../harness.ts";
import { createModelsOfEveryKind, MODELS } from "../models-of-every-kind.ts";
import { sendRaw, type RawAnswer } from "../raw-request.ts";
import { withoutIds, withoutTimes, type Logged } from "./compared.ts";

const USERS: Readonly<Record<string, readonly NewGrant[]>> = {
  root: [{ role: "admin" }],
  ann: [{ role: "reader", tag: "chat" }],
  bob: [{ role: "editor", pattern: "b*" }],
  eve: [{ role: "reader", pattern: "none" }],
};

const NAMES = [
  ...Object.values(MODELS).map(({ modelId }) => modelId),
  "known",
  "best",
  "nothing",
  "knwn",
  "..",
  "a b",
  "é",
];

// Each word of a target, also as nobody should write it.
const TARGETS = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...NAMES).map((name) => `/v1/models/${encodeURIComponent(name)}`) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(...NAMES).map((name) => `/v1/models/${name.replaceAll(" ", "+")}`),
  },
  {
    weight: 6,
    arbitrary: fc
      .array(
        fc.constantFrom(
          "limit=1",
          "limit=2",
          "limit=-1",
          "tag=chat",
          "total=true",
          "fields=id,alias",
          "fields=x",
          "filter=size_bytes>4GB",
          "filter=size_bytes%3E4GB",
          "search=known",
          "sort=model_id",
          "cursor=x",
          "nothing=1",
          "limit=1#2",
          `search="a"`,
          "search=%zz",
          "search={}",
          "a'b",
          "&",
          "?",
        ),
        { maxLength: 3 },
      )
      .map((words) => `/v1/models?${words.join("&")}`),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "/v1/models",
      "/v1/models/",
      "/v1/models//",
      "/v1/models//bare",
      "/v1/models/bare/",
      "/v1/models/bare?x=1",
      "/v1/models/../models",
      "/v1/models/%2e%2e/healthz",
      "/v1/models/a\\b",
      "/v1/models/a%5Cb",
      "/v1/models/%",
      "/v1/models/%00",
      "/v1/models/%ff",
      "/v1/models/bare#x",
      "/v1/models/\xe9",
      "/v1/models/status",
      "/v1/models/status/bare",
      "/v1/models/status%2Fbare",
      "/v1/models:bulk-create",
      "/v1/model",
      "/v1//models",
      "//v1/models",
      "/V1/models",
      "/models/bare",
      "/healthz",
    ),
  },
);

const HEADERS = fc.subarray(
  [
    "X-Request-Id: r-1",
    "X-Request-Id: \x01",
    "If-None-Match: *",
    `If-None-Match: W/"x", "y"`,
    "If-None-Match: <etag>",
    "If-None-Match: W/<etag>",
    "Authorization: Basic eA==",
    "Authorization: Bearer x",
    "Origin: https://evil.example",
    "Origin: https://friend.example",
    "Origin: http://localhost",
    "Sec-Fetch-Site: cross-site",
    "Content-Length: 0",
    "Content-Encoding: gzip",
    "Transfer-Encoding: chunked",
    "X-Forwarded-For: 192.0.2.1",
    "Access-Control-Request-Method: GET",
    "Range: bytes=0-1",
    "Accept: text/plain",
  ],
  { maxLength: 3 },
);

const HOSTS = fc.oneof(
  { weight: 8, arbitrary: fc.constant("localhost") },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "127.0.0.1",
      "127.0.0.1:80",
      "127.1",
      "[::1]",
      "LOCALHOST",
      "localhost.",
      "localhost:0",
      "localhost:65536",
      "localhost:99999",
      "xn--a.localhost",
      "a_b.localhost",
      "evil.example",
      "friend.example",
    ),
  },
);

interface Asking {
  readonly target: string;
  readonly host: string;
  readonly user: string;
  readonly headers: readonly string[];
  readonly method: string;
}

const ASKING: fc.Arbitrary<Asking> = fc.record({
  target: TARGETS,
  host: HOSTS,
  user: fc.constantFrom(...Object.keys(USERS), "nobody"),
  headers: HEADERS,
  method: fc.oneof(
    { weight: 9, arbitrary: fc.constant("GET") },
    { weight: 1, arbitrary: fc.constantFrom("HEAD", "OPTIONS", "POST") },
  ),
});

/** The same app twice: as it is served, and answering everything that is not refused without its lane. */
class Pair implements AsyncDisposable {
  readonly #service: Awaited<ReturnType<typeof startService>>;
  readonly #appAlone: Server;
  readonly #logged: Logged[];
  readonly #tokens = new Map<string, string>();
  taken = 0;

  private constructor(service: Awaited<ReturnType<typeof startService>>, appAlone: Server, logged: Logged[]) {
    this.#service = service;
    this.#appAlone = appAlone;
    this.#logged = logged;
    const { lane } = service.app;
    const take = lane.take.bind(lane);
    vi.spyOn(lane, "take").mockImplementation((...parts) => {
      const isTaken = take(...parts);
      if (isTaken) this.taken += 1;
      return isTaken;
    });
  }

  static async start(): Promise<Pair> {
    const logged: Logged[] = [];
    const note = (level: string) => (fields: object) => {
      logged.push({ level, fields: { ...fields } });
    };
    const service = await startService({
      allowedHosts: ["friend.example"],
      corsOrigins: ["https://friend.example"],
      requestsPerSecond: 0,
      log: { debug: note("debug"), info: note("info"), error: note("error") },
    });
    const { app } = service;
    const appAlone = createNodeServer({
      fetch: (request, bindings) => app.fetch(request, bindings),
      lane: { take: () => false, refuse: (...parts) => app.lane.refuse(...parts) },
    });
    await new Promise<void>((listening) => {
      appAlone.listen(0, "127.0.0.1", listening);
    });
    return new Pair(service, appAlone, logged);
  }

  get registry(): Registry {
    return this.#service.registry;
  }

  get app(): App {
    return this.#service.app;
  }

  async addUsers(): Promise<void> {
    const { users, tokens } = this.registry.access;
    for (const [name, grants] of Object.entries(USERS)) {
      await users.create({ name, grants });
      this.#tokens.set(name, (await tokens.create(name)).token);
    }
  }

  /** What is different about the answers of both, and what they log; nothing should be. */
  async ask(asking: Asking, etag: string): Promise<{ answers: RawAnswer[]; logged: Logged[] }> {
    const { method, target, host, user, headers } = asking;
    const token = this.#tokens.get(user);
    const lines = [
      `${method} ${target} HTTP/1.1`,
      `Host: ${host}`,
      "Connection: close",
      ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
      ...headers.map((header) => header.replace("<etag>", etag)),
    ];
    const body = headers.includes("Transfer-Encoding: chunked") ? "0\r\n\r\n" : "";
    const bytes = Buffer.from(`${lines.join("\r\n")}\r\n\r\n${body}`, "latin1");
    const answers: RawAnswer[] = [];
    this.#logged.length = 0;
    for (const port of [this.#service.port, (this.#appAlone.address() as AddressInfo).port]) {
      answers.push(await sendRaw({ port, bytes, ends: method === "HEAD" }));
    }
    // A line is written when the connection is done with.
    while (this.#logged.length % 2 === 1) await sleep(1);
    return { answers, logged: [...this.#logged] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#appAlone.closeAllConnections();
    this.#appAlone.close();
    await this.#service[Symbol.asyncDispose]();
  }
}

describe("the lane answers as the app does, to the letter", () => {
  test.for([
    ["while there is no user", false],
    ["to users who see different models", true],
  ] as const)("%s", { timeout: 120_000 }, async ([, hasUsers]) => {
    await using pair = await Pair.start();
    await createModelsOfEveryKind(pair.registry);
    if (hasUsers) await pair.addUsers();
    let etag = `"1-x-0"`;
    await fc.assert(
      fc.asyncProperty(ASKING, async (asking) => {
        const { answers, logged } = await pair.ask(asking, etag);
        const [lane, app] = answers.map(withoutIds);
        expect(lane).toEqual(app);
        const lines = logged.map(withoutTimes);
        expect(lines[0]).toEqual(lines[1]);
        etag = answers[0]!.headers["etag"] ?? etag;
      }),
      { numRuns: 400 },
    );
    expect(pair.taken).toBeGreaterThan(100);
    // Each was asked for twice, so every count is even where both count under the same name.
    const figures = await (await pair.app.request("/metrics", { headers: { host: "localhost" } })).text();
    for (const [line, count] of figures.matchAll(
      /^cortex_http_request_duration_seconds_count\{.*\} (\d+)$/gm,
    )) {
      expect(Number(count) % 2, line).toBe(0);
    }
  });
});

function placesOf(method: string): Places<string> {
  const asked = ROUTES.filter((route) => route.method === method);
  return new Places(asked, (route) => ("handle" in route ? undefined : route.operationId));
}

test("the routes of a method are found as the app finds them", () => {
  const read = placesOf("get");
  expect(read.find("/v1/models")).toBe("listModels");
  expect(read.find("/v1/models/a/b")).toBe("getModel");
  for (const path of ["/v1/models/", "/v1/models/status/a", "/models/a", "/v1/aliases", "/"]) {
    expect(read.find(path), path).toBeUndefined();
  }
  const changed = placesOf("patch");
  expect(changed.find("/v1/models/a/b")).toBe("updateModel");
  expect(changed.find("/v1/runs/7")).toBe("renewRun");
  for (const path of ["/v1/models", "/v1/models/", "/v1/runs", "/v1"]) {
    expect(changed.find(path), path).toBeUndefined();
  }
});
