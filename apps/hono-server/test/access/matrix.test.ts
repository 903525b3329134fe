import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Registry } from "@cortex/model-db";
import { llamaFile } from "@cortex/test-models";
import { describe, expect } from "vitest";

import { ROUTES } from "../../src/routes/index.ts";
import { startFetchingService, type FetchingService } from "../fetching-service.ts";
import { test } from "../harness.ts";
import { sendRaw, type RawAnswer } from "../raw-request.ts";
import { CALLERS, MODELS, type AccessCase, type ModelName } from "./callers.ts";
import { PROMISES, type Ask, type Promised } from "./route-table.ts";

const NAMES = Object.keys(MODELS) as ModelName[];
const LETTERS = { read: "r", run: "u", change: "c", admin: "a" } as const;
/** Of a model that there never was. */
const NONE = { id: "team/zq-0123456789-never", lease: "999999999", transfer: "888888888" };
/** A model of the hub, as it is called once it is here. */
const REMOTE = { reference: "elsewhere/zqnew", modelId: "elsewhere:zqnew:m.gguf" };

/** A service with the models, each with an alias of its own, and somebody who may do what is given. */
class World implements AsyncDisposable {
  readonly #service: FetchingService;
  readonly #tokens = new Map<string, string>();

  private constructor(service: FetchingService) {
    this.#service = service;
  }

  static async make({ grants, scopes }: AccessCase): Promise<World> {
    const world = new World(await startFetchingService());
    const { remote, imports } = world.#service;
    remote.commit(REMOTE.reference, { "m.gguf": llamaFile() });
    mkdirSync(imports);
    writeFileSync(world.importable, llamaFile({}, 1));
    world.#service.work();
    const { users, tokens } = world.registry.access;
    await users.create({ name: "root", grants: [{ role: "admin" }] });
    await users.create({ name: "ann", grants });
    await users.create({ name: "bob", grants: [{ role: "reader" }] });
    world.#tokens.set("root", (await tokens.create("root")).token);
    world.#tokens.set("ann", (await tokens.create("ann", scopes === undefined ? {} : { scopes })).token);
    for (const name of NAMES) await world.register(name);
    return world;
  }

  /** The path of a file that may be imported. */
  get importable(): string {
    return join(this.#service.imports, "zqnew.gguf");
  }

  get registry(): Registry {
    return this.#service.registry;
  }

  async register(name: ModelName): Promise<void> {
    const { modelId, tags, ...access } = MODELS[name];
    await this.registry.models.create({
      modelId,
      sourceType: "local",
      availability: "present",
      format: "gguf",
      engine: "llama-cpp",
      alias: `${modelId}-alias`,
      notes: `zq${name}`,
      tags: [...tags],
      ...access,
    });
  }

  /** The model as it was at first; one that a route deleted or that runs is made anew. */
  async reset(
    name: ModelName,
    after: "leased" | "started" | "asked for" | undefined,
  ): Promise<{ id: string; lease: string; transfer: string }> {
    const { modelId } = MODELS[name];
    for (const run of await this.registry.runs.list()) {
      if (run.modelId === modelId) await this.registry.runs.release(run.token);
    }
    for (const known of ["another", modelId]) {
      const model = await this.registry.models.findByName(known);
      if (model !== undefined) await this.registry.models.delete(model.modelId);
    }
    await this.register(name);
    if (after === "started") {
      const { status } = await this.ask(
        "post",
        { target: "/v1/models/start", body: { model: modelId } },
        "root",
      );
      if (status !== 200) throw new Error(`${modelId} cannot be started: ${status}`);
    }
    const lease = after === "leased" ? await this.lease(name) : NONE.lease;
    const transfer = after === "asked for" ? await this.askFor(name) : NONE.transfer;
    return { id: modelId, lease, transfer };
  }

  /** Asks for a model to be fetched again, from where nothing is. */
  async askFor(name: ModelName): Promise<string> {
    const { transfer } = await this.registry.transfers.request({
      reference: `zq${name}`,
      modelId: MODELS[name].modelId,
      sourceType: "local",
      folder: this.#service.models,
      files: [{ path: name, role: "weights", url: "http://127.0.0.1:1/none", sizeBytes: 1 }],
    });
    return String(transfer.transferId);
  }

  /** Takes away what a route brought in. */
  async forget(): Promise<void> {
    const { transfers, models } = this.registry;
    for (const { transferId } of (await transfers.list({ modelId: REMOTE.modelId })).items) {
      await transfers.cancel(transferId).catch(() => undefined);
    }
    for (const id of [REMOTE.modelId, "elsewhere/zqnew"]) {
      if ((await models.find(id)) !== undefined) await models.delete(id);
    }
  }

  async lease(name: ModelName): Promise<string> {
    const run = await this.registry.runs.acquire(MODELS[name].modelId, {
      holder: `zq${name}`,
      endpoint: `http://127.0.0.1/zq${name}`,
    });
    return String(run.token);
  }

  async ask(
    method: string,
    { target, body, line }: Ask,
    user: "root" | "ann" | "nobody" = "ann",
  ): Promise<RawAnswer> {
    const content = JSON.stringify(line ?? body) ?? "";
    const type = line === undefined ? "application/json" : "application/x-ndjson";
    const token = this.#tokens.get(user);
    const head = [
      `${method.toUpperCase()} ${target} HTTP/1.1`,
      "Host: localhost",
      "Connection: close",
      ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
      ...(content === "" ? [] : [`Content-Type: ${type}`, `Content-Length: ${content.length}`]),
    ];
    return sendRaw({
      port: this.#service.port,
      bytes: `${head.join("\r\n")}\r\n\r\n${content}`,
      settleMs: SETTLE_MS,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#service[Symbol.asyncDispose]();
  }
}

/** Of events, how long nothing more must come. */
const SETTLE_MS = 150;

test("every route is in the table, and nothing else", () => {
  const routes = ROUTES.map(({ method, path }) => `${method} ${path}`);
  expect(Object.keys(PROMISES).toSorted()).toEqual(routes.toSorted());
});

test("without a token nothing is answered that says anything of the registry", async () => {
  await using world = await World.make(CALLERS[0]!);
  const model = await world.reset("lab", "leased");
  for (const [route, promised] of Object.entries(PROMISES)) {
    const answer = await world.ask(route.split(" ")[0]!, askOf(route, promised, model), "nobody");
    expect(answer.status, route).toBe(promised.kind === "public" ? 200 : 401);
    expect(answer.body, route).not.toContain("zq");
  }
});

describe.for(CALLERS)("$name", (caller) => {
  test("gets what the table says, on every route, for every model", { timeout: 120_000 }, async () => {
    await using world = await World.make(caller);
    const faults: string[] = [];
    // Lists first: later each model changes.
    for (const name of NAMES) {
      await world.lease(name);
      await world.askFor(name);
    }
    for (const [route, promised] of Object.entries(PROMISES)) {
      if (promised.kind === "list") faults.push(...(await listFaults(world, route, promised.target, caller)));
    }
    for (const [route, promised] of Object.entries(PROMISES)) {
      if (promised.kind !== "list") faults.push(...(await faultsOf(world, route, promised, caller)));
    }
    expect(faults).toEqual([]);
  });
});

function askOf(route: string, promised: Promised, model: typeof NONE): Ask {
  switch (promised.kind) {
    case "list":
      return { target: promised.target };
    case "one":
      return promised.ask(model);
    case "create":
      return promised.ask("team/zqnew");
    case "bring in":
      return promised.ask({ reference: REMOTE.reference, path: "/zqnew.gguf" });
    case "all":
      return promised.ask;
    default:
      return { target: route.split(" ")[1]! };
  }
}

async function listFaults(
  world: World,
  route: string,
  target: string,
  { may }: AccessCase,
): Promise<string[]> {
  const { status, body } = await world.ask(route.split(" ")[0]!, { target });
  const faults = status === 200 ? [] : [`the status is ${status}`];
  for (const name of NAMES) {
    if (may[name] !== "" && !body.includes(`zq${name}`)) faults.push(`${name} is missing`);
    if (may[name] === "" && body.includes(`zq${name}`)) faults.push(`${name} is shown`);
  }
  if (target.startsWith("/v1/models?")) {
    const seen = NAMES.filter((name) => may[name] !== "").length;
    const { body: counted } = await world.ask("get", { target: "/v1/models?total=true&limit=1" });
    if ((JSON.parse(counted) as { total: number }).total !== seen) faults.push(`the total is not ${seen}`);
    for (const name of NAMES) {
      // A name that is nearly right gets the right one for an answer, where that may be known.
      const { body: hint } = await world.ask("get", { target: `/v1/models/${MODELS[name].modelId}s` });
      if (hint.includes(`${MODELS[name].modelId}\\"`) !== (may[name] !== "")) {
        faults.push(`the hint says otherwise of ${name}`);
      }
      const { body: found } = await world.ask("get", { target: `/v1/models?search=zq${name}` });
      if (found.includes(`"data":[]`) !== (may[name] === ""))
        faults.push(`the search for ${name} says otherwise`);
    }
  }
  return faults.map((fault) => `${route}: ${fault}`);
}

async function faultsOf(
  world: World,
  route: string,
  promised: Promised,
  { may, mayAll }: AccessCase,
): Promise<string[]> {
  const method = route.split(" ")[0]!;
  switch (promised.kind) {
    case "all": {
      const answer = await world.ask(method, promised.ask);
      const fault = rightFault(answer, mayAll.includes(LETTERS[promised.right]), promised.right);
      return fault === undefined ? [] : [`${route}: ${fault}`];
    }
    case "create": {
      // Elsewhere and for another owner, nobody but an editor of all registers.
      const answer = await world.ask(method, promised.ask("elsewhere/zqnew"));
      const fault = rightFault(answer, mayAll.includes("c"), "change");
      if (answer.status < 300) await world.registry.models.delete("elsewhere/zqnew");
      return fault === undefined ? [] : [`${route}: ${fault}`];
    }
    case "bring in": {
      const answer = await world.ask(method, promised.ask({ ...REMOTE, path: world.importable }));
      const fault = rightFault(answer, mayAll.includes(LETTERS[promised.right]), promised.right);
      await world.forget();
      return fault === undefined ? [] : [`${route}: ${fault}`];
    }
    case "one": {
      const faults: string[] = [];
      for (const name of NAMES) {
        const model = await world.reset(name, promised.after);
        const answer = await world.ask(method, promised.ask(model));
        const none = await world.ask(method, promised.ask(NONE));
        const fault =
          may[name] === ""
            ? differenceFault(answer, none, model)
            : rightFault(answer, may[name].includes(LETTERS[promised.right]), promised.right);
        if (fault !== undefined) faults.push(`${route} ${name}: ${fault}`);
      }
      return faults;
    }
    case "figures": {
      const { body } = await world.ask(method, askOf(route, promised, NONE));
      const seesAll = NAMES.every((name) => may[name] !== "");
      if (body.includes("zq")) return [`${route}: it names models`];
      return body.includes("cortex_models{") === seesAll ? [] : [`${route}: it counts otherwise`];
    }
    default: {
      const { status } = await world.ask(method, askOf(route, promised, NONE));
      return status === 200 ? [] : [`${route}: ${status}`];
    }
  }
}

function rightFault({ status, body }: RawAnswer, isAllowed: boolean, right: string): string | undefined {
  if (isAllowed) return status < 300 ? undefined : `it is refused with ${status} ${body}`;
  if (status !== 403) return `it is answered with ${status} ${body}`;
  return body.includes(`needs the right \\"${right}\\"`)
    ? undefined
    : `it does not name the right ${right}: ${body}`;
}

/** What is not seen must look as if it were not there, to the letter. */
function differenceFault(answer: RawAnswer, none: RawAnswer, model: typeof NONE): string | undefined {
  if (answer.status < 400) return `it is answered with ${answer.status}`;
  const [said, expected] = [withoutNames(answer, model), withoutNames(none, NONE)];
  return said === expected ? undefined : `it says ${said}, and of none ${expected}`;
}

function withoutNames({ status, body }: RawAnswer, { id, lease, transfer }: typeof NONE): string {
  // What the hint is depends on the name; that it is of a model that is seen, the lists' test holds.
  const words = body.replace(/"request_id":"[^"]*"/, "").replaceAll(/ Did you mean .*?\?/g, "");
  const named = words.replaceAll(id, "<id>").replaceAll(lease, "<lease>");
  return `${status} ${named.replaceAll(`transfer ${transfer}.`, "transfer <transfer>.")}`;
}
