import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { openRegistry, type ModelEvent, type NewGrant, type Registry } from "@cortex/model-db";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";

import { createApp, createNodeServer, type App } from "../../src/index.ts";
import { BROKEN } from "../hostile/bodies.ts";
import { createModelsOfEveryKind, MODELS } from "../models-of-every-kind.ts";
import { sendRaw, type RawAnswer } from "../raw-request.ts";
import { withoutIds, withoutTimes, type Logged } from "./compared.ts";

const USERS: Readonly<Record<string, readonly NewGrant[]>> = {
  root: [{ role: "admin" }],
  ann: [{ role: "reader" }],
  bob: [{ role: "editor", pattern: "b*" }],
  eve: [{ role: "reader", pattern: "none" }],
};

const NAMES = [...Object.values(MODELS).map(({ modelId }) => modelId), "known", "best", "nothing", "é"];
const START = Date.UTC(2027, 0, 1);

const name = fc.constantFrom(...NAMES);
const text = fc.oneof(fc.constantFrom("", "a", "chat", "best", "é", " ", "a\0b", "…", '"\\'), fc.string());
const count = fc.oneof(fc.nat(), fc.constantFrom(-1, 1.5, 2 ** 53, null));

const UPDATE = fc.record(
  {
    context_length: count,
    size_bytes: count,
    pinned: fc.boolean(),
    private: fc.boolean(),
    notes: fc.oneof(text, fc.constant(null)),
    alias: fc.oneof(name, text, fc.constant(null)),
    aliases: fc.array(text, { maxLength: 3 }),
    tags: fc.array(text, { maxLength: 3 }),
    metadata: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 }),
    owner: fc.constantFrom("root", "nobody", null),
    source_type: fc.constantFrom("local", "remote", "x"),
    row_version: fc.nat(),
    [`n_tes`]: text,
  },
  { requiredKeys: [] },
);

interface Change {
  readonly method: string;
  readonly target: string;
  readonly body: string | Uint8Array;
  readonly headers: readonly string[];
}

const JSON_TYPE = "Content-Type: application/json";
const of = (made: fc.Arbitrary<unknown>): fc.Arbitrary<Pick<Change, "body" | "headers">> =>
  made.map((body) => ({ body: JSON.stringify(body), headers: [JSON_TYPE] }));
const broken = fc
  .constantFrom(...BROKEN)
  .map(([, body, headers = [JSON_TYPE]]) => ({ body, headers: [...headers] }));
const none = fc.constant({ body: "", headers: [] });
const mostly = (
  good: fc.Arbitrary<Pick<Change, "body" | "headers">>,
): fc.Arbitrary<Pick<Change, "body" | "headers">> =>
  fc.oneof({ weight: 8, arbitrary: good }, { weight: 2, arbitrary: broken }, { weight: 1, arbitrary: none });

function changeOf(
  method: string,
  target: fc.Arbitrary<string>,
  body: fc.Arbitrary<Pick<Change, "body" | "headers">>,
): fc.Arbitrary<Change> {
  return fc.tuple(target, body).map(([to, sent]) => ({ method, target: to, ...sent }));
}

const below = (place: string, names: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  names.map((each) => `${place}/${encodeURIComponent(each)}`);
const MODEL = below("/v1/models", name);

const CHANGES = fc.oneof(
  { weight: 12, arbitrary: changeOf("PATCH", MODEL, mostly(of(UPDATE))) },
  {
    weight: 3,
    arbitrary: changeOf(
      "PATCH",
      fc.constantFrom(
        "/v1/models",
        "/v1/models/",
        "/v1/models//bare",
        "/v1/models/bare?x=1",
        "/v1/models/bare?",
        "/v1/models/..",
        "/v1/models/%2e%2e",
        "/v1/models/%",
        "/v1/models/%00",
        "/v1/models/%ff",
        "/v1/models/nomic/embed:v1.5",
        "/v1/runs/0",
        "/v1/runs/x",
        "/v1/runs/999999",
        "/v1/tags",
      ),
      mostly(of(UPDATE)),
    ),
  },
  { weight: 1, arbitrary: changeOf("DELETE", MODEL, none) },
  {
    weight: 2,
    arbitrary: changeOf(
      "POST",
      fc.constant("/v1/tags"),
      mostly(of(fc.record({ model_id: name, add: fc.array(text) }, { requiredKeys: ["model_id"] }))),
    ),
  },
  {
    weight: 2,
    arbitrary: changeOf("PUT", below("/v1/aliases", text), mostly(of(fc.record({ model_id: name })))),
  },
  { weight: 1, arbitrary: changeOf("DELETE", below("/v1/aliases", fc.oneof(name, text)), none) },
  { weight: 1, arbitrary: changeOf("DELETE", below("/v1/runs", fc.constantFrom("0", "999999")), none) },
);

const HEADERS = fc.subarray(
  [
    "X-Request-Id: r-1",
    "If-Match: *",
    "If-Match: <etag>",
    `If-Match: "x", <etag>`,
    "If-Match: W/<etag>",
    "Prefer: return=minimal",
    "Prefer: respond-async, return=minimal; x=1",
    "Origin: https://evil.example",
    "Origin: https://friend.example",
    "Expect: 100-continue",
    "Content-Encoding: identity",
    "X-Forwarded-For: 192.0.2.1",
    "Accept: text/plain",
  ],
  { maxLength: 2 },
);

interface Asking {
  readonly change: Change;
  readonly headers: readonly string[];
  readonly user: string;
  readonly type: string | undefined;
  /** How the length of the body is said: as it is, by chunks, or too long for what then comes. */
  readonly length: "said" | "chunked" | "too long";
}

const ASKING: fc.Arbitrary<Asking> = fc.record({
  change: CHANGES,
  headers: HEADERS,
  user: fc.oneof(fc.constant("root"), fc.constantFrom(...Object.keys(USERS), "nobody")),
  type: fc.oneof(
    { weight: 9, arbitrary: fc.constant(undefined) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        "application/json; charset=utf-8",
        "Application/Merge-Patch+JSON",
        "application/json; charset=latin1",
        "text/plain",
        "",
      ),
    },
  ),
  length: fc.oneof(
    { weight: 12, arbitrary: fc.constant("said" as const) },
    { weight: 1, arbitrary: fc.constantFrom("chunked" as const, "too long" as const) },
  ),
});

/** A copy of a registry, served. */
class Served implements AsyncDisposable {
  readonly registry: Registry;
  readonly app: App;
  readonly logged: Logged[];
  readonly #server: Server;
  taken = 0;

  private constructor(registry: Registry, hasLane: boolean) {
    this.registry = registry;
    const logged: Logged[] = [];
    const note = (level: string) => (fields: object) => {
      logged.push({ level, fields: { ...fields } });
    };
    this.logged = logged;
    const app = createApp(registry, {
      corsOrigins: ["https://friend.example"],
      requestsPerSecond: 0,
      log: { debug: note("debug"), info: note("info"), error: note("error") },
    });
    this.app = app;
    const { lane } = app;
    const counting = {
      take: (...parts: Parameters<App["lane"]["take"]>): boolean => {
        const isTaken = lane.take(...parts);
        if (isTaken) this.taken += 1;
        return isTaken;
      },
      refuse: (...parts: Parameters<App["lane"]["refuse"]>): void => lane.refuse(...parts),
    };
    const fetch: App["fetch"] = (...parts) => app.fetch(...parts);
    this.#server = createNodeServer(hasLane ? { fetch, lane: counting } : { fetch });
  }

  static async start(path: string, hasLane: boolean): Promise<Served> {
    const served = new Served(await openRegistry(path, { actor: "test" }), hasLane);
    await new Promise<void>((listening) => {
      served.#server.listen(0, "127.0.0.1", listening);
    });
    return served;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** What happened, without the names of the requests that did it. */
  async history(): Promise<object[]> {
    const events: ModelEvent[] = [];
    for await (const event of this.registry.history.all()) events.push(event);
    return events.map(({ origin, ...event }) => ({
      ...event,
      origin: origin && { ...origin, requestId: origin.requestId === "r-1" ? "r-1" : "<id>" },
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((closed) => {
      this.#server.close(closed);
      this.#server.closeAllConnections();
    });
    await this.registry.close();
  }
}

/** Two equal registries: one behind an app with its lane, one behind an app alone. */
class Twins implements AsyncDisposable {
  readonly lane: Served;
  readonly app: Served;
  readonly #folder: string;
  readonly #tokens: ReadonlyMap<string, string>;

  private constructor(lane: Served, app: Served, folder: string, tokens: ReadonlyMap<string, string>) {
    this.lane = lane;
    this.app = app;
    this.#folder = folder;
    this.#tokens = tokens;
  }

  static async start(hasUsers: boolean): Promise<Twins> {
    const folder = mkdtempSync(join(tmpdir(), "hono-server-"));
    const [one, other] = [join(folder, "lane.db"), join(folder, "app.db")];
    const tokens = new Map<string, string>();
    const registry = await openRegistry(one, { actor: "test" });
    await createModelsOfEveryKind(registry);
    if (hasUsers) {
      for (const [user, grants] of Object.entries(USERS)) {
        await registry.access.users.create({ name: user, grants });
        tokens.set(user, (await registry.access.tokens.create(user)).token);
      }
    }
    await registry.close();
    copyFileSync(one, other);
    return new Twins(await Served.start(one, true), await Served.start(other, false), folder, tokens);
  }

  /** What both answer and log; there should be no difference. */
  async ask(asking: Asking, etag: string): Promise<{ answers: RawAnswer[]; logged: Logged[] }> {
    const bytes = toBytes(asking, etag, this.#tokens.get(asking.user));
    const answers: RawAnswer[] = [];
    const logged: Logged[] = [];
    for (const served of [this.lane, this.app]) {
      served.logged.length = 0;
      answers.push(await sendRaw({ port: served.port, bytes, ends: asking.length === "too long" }));
      // A line is written when the connection is done with.
      while (served.logged.length === 0) await sleep(1);
      logged.push(served.logged[0]!);
    }
    return { answers, logged };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lane[Symbol.asyncDispose]();
    await this.app[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function toBytes({ change, headers, type, length }: Asking, etag: string, token: string | undefined): Buffer {
  const body = Buffer.from(change.body);
  const own = type === undefined ? change.headers : [`Content-Type: ${type}`];
  const isChunked = length === "chunked" && !own.some((header) => header.startsWith("Transfer-Encoding"));
  const lines = [
    `${change.method} ${change.target} HTTP/1.1`,
    "Host: localhost",
    "Connection: close",
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    ...own,
    ...headers.map((header) => header.replace("<etag>", etag)),
    ...(isChunked ? ["Transfer-Encoding: chunked"] : []),
    ...(isChunked || own.some((header) => header.startsWith("Transfer-Encoding")) || body.length === 0
      ? []
      : [`Content-Length: ${body.length + (length === "too long" ? 5 : 0)}`]),
  ];
  const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  if (!isChunked || body.length === 0)
    return Buffer.concat([head, isChunked ? Buffer.from("0\r\n\r\n") : body]);
  return Buffer.concat([
    head,
    Buffer.from(`${body.length.toString(16)}\r\n`),
    body,
    Buffer.from("\r\n0\r\n\r\n"),
  ]);
}

describe("the lane changes what the app changes, and answers the same to the letter", () => {
  test.for([
    ["while there is no user", false],
    ["to users with different rights", true],
  ] as const)("%s", { timeout: 240_000 }, async ([, hasUsers]) => {
    await using twins = await Twins.start(hasUsers);
    // The same moment for both, so that what they write is the same too.
    vi.useFakeTimers({ toFake: ["Date"], now: START });
    try {
      let etag = `"1-x-0"`;
      let moment = START;
      await fc.assert(
        fc.asyncProperty(ASKING, async (asking) => {
          vi.setSystemTime((moment += 1000));
          const { answers, logged } = await twins.ask(asking, etag);
          const [lane, app] = answers.map(withoutIds);
          expect(lane).toEqual(app);
          const [own, other] = logged.map(withoutTimes);
          expect(own).toEqual(other);
          etag = answers[0]!.headers["etag"] ?? etag;
        }),
        { numRuns: 400 },
      );
      expect(await twins.lane.history()).toEqual(await twins.app.history());
      expect(twins.lane.taken).toBeGreaterThan(200);
    } finally {
      vi.useRealTimers();
    }
  });
});

test("changes sent behind each other in pieces are made and answered in their order", async () => {
  await using twins = await Twins.start(false);
  const { lane } = twins;
  const sent = Buffer.concat(
    [1, 2, 3, 4].map((length) => {
      const body = JSON.stringify({ context_length: length });
      const head = `PATCH /v1/models/bare HTTP/1.1\r\nHost: localhost\r\n${JSON_TYPE}\r\n`;
      const last = length === 4 ? "Connection: close\r\n" : "";
      return Buffer.from(`${head}${last}Content-Length: ${body.length}\r\n\r\n${body}`);
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: sent.length }), { maxLength: 6 }), async (cuts) => {
      const socket = connect(lane.port, "127.0.0.1").setNoDelay(true);
      const closed = once(socket, "close");
      let answered = "";
      socket.setEncoding("utf8").on("data", (piece: string) => (answered += piece));
      const places = [0, ...cuts.toSorted((one, other) => one - other), sent.length];
      for (const [index, place] of places.slice(1).entries()) {
        socket.write(sent.subarray(places[index], place));
        await sleep(1);
      }
      await closed;
      const lengths = Array.from(answered.matchAll(/"context_length":(\d+)/g), ([, length]) =>
        Number(length),
      );
      expect(lengths).toEqual([1, 2, 3, 4]);
    }),
    { numRuns: 40 },
  );
  expect(lane.taken).toBe(160);
});
