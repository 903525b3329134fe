import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { describe, expect } from "vitest";

import { EventReader } from "../../event-reader.ts";
import { startFetchingService, test, type FetchingService } from "../../fetching-service.ts";

const MODEL_ID = "org:repo:m.gguf";
const MINIMAL = { params: { header: { Prefer: "return=minimal" } } };

async function ask(service: FetchingService, reference = "org/repo"): Promise<number> {
  const { data } = await service.client.POST("/v1/transfers", { body: { reference } });
  if (data?.object !== "transfer") throw new Error("It is no transfer.");
  return data.transfer_id;
}

/** Waits for the end of a transfer, whose states it gives. */
async function statesOf(service: FetchingService, id: number): Promise<string[]> {
  using events = await EventReader.open(`${service.url}/v1/transfers/${id}/events`);
  const states: string[] = [];
  for (;;) {
    const block = await events.next();
    if (block === undefined) return states;
    if (block.event !== undefined && states.at(-1) !== block.event) states.push(block.event);
  }
}

describe("POST /v1/transfers", () => {
  test("201, then 200: a model has one transfer; and the model itself once it is here", async ({
    service,
  }) => {
    const body = { reference: "org/repo", alias: "tiny" };
    const first = await service.client.POST("/v1/transfers", { body });
    expect(first.response.status).toBe(201);
    expect(first.response.headers.get("location")).toBe("/v1/transfers/1");
    expect(first.data).toMatchObject({
      object: "transfer",
      state: "queued",
      model_id: MODEL_ID,
      actor: "http",
    });
    const again = await service.client.POST("/v1/transfers", { body: { reference: "hf.co/org/repo" } });
    expect([again.response.status, again.data]).toEqual([200, first.data]);
    service.work();
    expect((await statesOf(service, 1)).at(-1)).toBe("done");
    const here = await service.client.POST("/v1/transfers", { body });
    expect([here.response.status, here.data]).toMatchObject([200, { object: "model", alias: "tiny" }]);
    const [event] = (await service.registry.history.list({ modelId: MODEL_ID })).items;
    expect(event).toMatchObject({ actor: "http", origin: { address: "127.0.0.1" } });
  });

  test("204: the transfer that there is, where the client prefers no body", async ({ service }) => {
    await ask(service);
    const { response } = await service.client.POST("/v1/transfers", {
      ...MINIMAL,
      body: { reference: "org/repo" },
    });
    expect(response.status).toBe(204);
  });

  test.for([{ reference: "" }, { reference: "a b" }, { reference: "org/repo", private: true }])(
    "400: %j",
    async (body, { service }) => {
      const { error } = await service.client.POST("/v1/transfers", { body });
      expect(error?.error.code).toBe("invalid_input");
    },
  );

  test("404: the hub has no such repository, file or quantization", async ({ service }) => {
    for (const reference of ["org/none", "org/repo:Q8_0", "org/repo/other.gguf"]) {
      const { response } = await service.client.POST("/v1/transfers", { body: { reference } });
      expect(response.status, reference).toBe(404);
    }
  });

  test("409: the name that it is to have means another model", async ({ service }) => {
    await service.registry.models.create({ modelId: "other", sourceType: "local" });
    const { error } = await service.client.POST("/v1/transfers", {
      body: { reference: "org/repo", alias: "other" },
    });
    expect(error?.error.code).toBe("name_taken");
  });

  test("502: the hub does not answer as it should, and whoever asked is told how", async ({ service }) => {
    service.remote.fault({ kind: "status", status: 500 }, { on: "hub", times: 100 });
    const { error } = await service.client.POST("/v1/transfers", { body: { reference: "org/repo" } });
    expect(error?.error).toMatchObject({
      code: "source_unreachable",
      message: expect.stringContaining("500"),
    });
  });

  test("403: an address of a private network is not asked unless that is allowed", async () => {
    await using service = await startFetchingService({ privateHosts: [] });
    const url = service.remote.putFile("x.gguf", "x");
    for (const reference of [url, url.replace("127.0.0.1", "localhost"), "org/repo"]) {
      const { error } = await service.client.POST("/v1/transfers", { body: { reference } });
      expect(error?.error.code, reference).toBe("permission_denied");
    }
    expect(service.remote.requests).toEqual([]);
  });
});

describe("GET /v1/transfers", () => {
  test("200: by state and model, the newest first", async ({ service }) => {
    service.remote.commit("org/other", { "o.gguf": "x" });
    await ask(service);
    await ask(service, "org/other");
    await service.registry.transfers.pause(1);
    const ids = async (query: { state?: ("paused" | "queued")[]; model_id?: string }): Promise<number[]> => {
      const { data } = await service.client.GET("/v1/transfers", { params: { query } });
      return data!.data.map(({ transfer_id }) => transfer_id);
    };
    expect(await ids({})).toEqual([2, 1]);
    expect(await ids({ state: ["paused"] })).toEqual([1]);
    expect(await ids({ model_id: "org:other:o.gguf" })).toEqual([2]);
    const { data } = await service.client.GET("/v1/transfers", { params: { query: { limit: 1 } } });
    expect(data).toMatchObject({ data: [{ transfer_id: 2 }], next_cursor: "2" });
  });
});

describe("GET /v1/transfers/{transfer_id}", () => {
  test("200: how far it is", async ({ service }) => {
    const transfer_id = String(await ask(service)) as never;
    const { data } = await service.client.GET("/v1/transfers/{transfer_id}", {
      params: { path: { transfer_id } },
    });
    expect(data).toMatchObject({ state: "queued", files: [{ path: "huggingface.co/org/repo/m.gguf" }] });
    expect(JSON.stringify(data)).not.toContain(service.models);
  });

  test("404: there is none", async ({ service }) => {
    const answer = await fetch(`${service.url}/v1/transfers/9`);
    expect(answer.status).toBe(404);
  });
});

describe("GET /v1/transfers/{transfer_id}/events", () => {
  test("200: each state as it comes with its pace, and the end", async ({ service }) => {
    service.remote.commit("org/repo", { "m.gguf": { sizeBytes: 3_000_000, seed: 3 } });
    service.remote.fault({ kind: "drip", bytesPerSecond: 500_000 }, { times: 10 });
    const id = await ask(service);
    using events = await EventReader.open(`${service.url}/v1/transfers/${id}/events`);
    expect(events.headers["content-type"]).toBe("text/event-stream");
    expect(await events.next()).toMatchObject({ event: "queued" });
    expect(await events.next()).toEqual({ comment: "heartbeat" });
    service.work();
    const states: string[] = [];
    let fastest = 0;
    for (let block = await events.next(); block !== undefined; block = await events.next()) {
      if (block.event === undefined) continue;
      states.push(block.event);
      fastest = Math.max(fastest, (JSON.parse(block.data!) as { bytes_per_second: number }).bytes_per_second);
    }
    expect(new Set(states)).toEqual(new Set(["running", "done"]));
    expect(fastest).toBeGreaterThan(50_000);
  });

  test("404: there is none", async ({ service }) => {
    expect((await fetch(`${service.url}/v1/transfers/9/events`)).status).toBe(404);
  });

  test("503: as many as may are listening already, or the service is about to end", async () => {
    const closing = new AbortController();
    const { startService } = await import("../../harness.ts");
    await using service = await startService({ closing: closing.signal, maxListeners: 1 });
    await service.registry.transfers.request({
      reference: "r",
      modelId: "m",
      sourceType: "local",
      folder: "/f",
      files: [{ path: "p", role: "weights", url: "http://h/p" }],
    });
    const url = `${service.url}/v1/transfers/1/events`;
    using events = await EventReader.open(url);
    expect(await events.next()).toMatchObject({ event: "queued" });
    expect((await fetch(url)).status).toBe(503);
    closing.abort();
    expect(await events.next()).toBeUndefined();
    expect((await fetch(url)).status).toBe(503);
  });
});

describe("POST /v1/transfers/{transfer_id}/pause", () => {
  test("200, then 204: it rests, which is no error twice", async ({ service }) => {
    const transfer_id = String(await ask(service)) as never;
    const path = { params: { path: { transfer_id } } };
    const { data } = await service.client.POST("/v1/transfers/{transfer_id}/pause", path);
    expect(data?.state).toBe("paused");
    const { response } = await service.client.POST("/v1/transfers/{transfer_id}/pause", {
      params: { ...path.params, ...MINIMAL.params },
    });
    expect(response.status).toBe(204);
  });

  test("400: it has ended", async ({ service }) => {
    const id = await ask(service);
    await service.registry.transfers.cancel(id);
    expect((await fetch(`${service.url}/v1/transfers/${id}/pause`, { method: "POST" })).status).toBe(400);
  });

  test("404: there is none", async ({ service }) => {
    expect((await fetch(`${service.url}/v1/transfers/9/pause`, { method: "POST" })).status).toBe(404);
  });
});

describe("POST /v1/transfers/{transfer_id}/resume", () => {
  test("200, then 204: it goes on, to its end", async ({ service }) => {
    service.work();
    const id = await ask(service);
    await service.registry.transfers.pause(id).catch(() => undefined);
    const url = `${service.url}/v1/transfers/${id}`;
    const { state } = await service.registry.transfers.get(id);
    if (state === "paused") {
      expect((await fetch(`${url}/resume`, { method: "POST" })).status).toBe(200);
      const prefer = { prefer: "return=minimal" };
      expect((await fetch(`${url}/resume`, { method: "POST", headers: prefer })).status).toBe(204);
    }
    expect((await statesOf(service, id)).at(-1)).toBe("done");
  });

  test("404: there is none", async ({ service }) => {
    expect((await fetch(`${service.url}/v1/transfers/9/resume`, { method: "POST" })).status).toBe(404);
  });
});

describe("DELETE /v1/transfers/{transfer_id}", () => {
  test("200, then 204: it is given up, and what it had written is deleted", async ({ service }) => {
    service.remote.commit("org/repo", { "m.gguf": { sizeBytes: 4_000_000, seed: 3 } });
    service.remote.fault({ kind: "drip", bytesPerSecond: 300_000 }, { times: 10 });
    service.work();
    const id = await ask(service);
    const folder = join(service.models, "huggingface.co/org/repo");
    while (!existsSync(folder) || readdirSync(folder).length === 0) {
      await new Promise((later) => setTimeout(later, 20));
    }
    const url = `${service.url}/v1/transfers/${id}`;
    const answer = await fetch(url, { method: "DELETE" });
    expect([answer.status, await answer.json()]).toMatchObject([200, { state: "cancelled" }]);
    const headers = { prefer: "return=minimal" };
    expect((await fetch(url, { method: "DELETE", headers })).status).toBe(204);
    // By the worker, within a second.
    await new Promise((later) => setTimeout(later, 1000));
    expect(existsSync(service.models) ? readdirSync(service.models) : []).toEqual([]);
  });

  test("404: there is none", async ({ service }) => {
    expect((await fetch(`${service.url}/v1/transfers/9`, { method: "DELETE" })).status).toBe(404);
  });
});
