import type { Right } from "@cortex/model-db";

/** A model as a request names it. */
interface Target {
  readonly id: string;
  /** Of the lease on it. */
  readonly lease: string;
  /** Of the transfer that makes it. */
  readonly transfer: string;
}

/** A model that is not here yet. */
interface Place {
  readonly reference: string;
  /** Of a file on the server's machine. */
  readonly path: string;
}

/** What a request needs beside its method. */
export interface Ask {
  readonly target: string;
  readonly body?: object;
  /** In place of a body: one line of many. */
  readonly line?: object;
}

/** What a route must hold to. */
export type Promised =
  /** Is the same for all, with a token or without. */
  | { readonly kind: "public" }
  /** Is the same for everybody who has a token. */
  | { readonly kind: "anybody"; readonly ask?: Ask }
  /** Shows every model that is seen, and nothing of the others. */
  | { readonly kind: "list"; readonly target: string }
  /** Counts models, for those who see all. */
  | { readonly kind: "figures" }
  /** Does something to one model. */
  | {
      readonly kind: "one";
      readonly right: Right;
      readonly ask: (model: Target) => Ask;
      /** What must have happened to the model before. */
      readonly after?: "leased" | "started" | "asked for";
    }
  /** Registers a model, with this id. */
  | { readonly kind: "create"; readonly ask: (id: string) => Ask }
  /** Fetches a model of a hub, or imports one that lies in a folder. */
  | { readonly kind: "bring in"; readonly right: Right; readonly ask: (place: Place) => Ask }
  /** Is about the registry as a whole. */
  | { readonly kind: "all"; readonly right: Right; readonly ask: Ask };

const one = (
  right: Right,
  ask: (model: Target) => Ask,
  after?: "leased" | "started" | "asked for",
): Promised => ({
  kind: "one",
  right,
  ask,
  ...(after === undefined ? {} : { after }),
});
const list = (target: string): Promised => ({ kind: "list", target });

const at = (prefix: string) => (model: Target) => ({ target: `${prefix}${model.id}` });
const start = (prefix: string): Promised =>
  one("run", ({ id }) => ({ target: `${prefix}/models/start`, body: { model: id } }));
const stop = (prefix: string): Promised =>
  one("run", ({ id }) => ({ target: `${prefix}/models/stop`, body: { model: id } }), "started");
const pull = (prefix: string): Promised => ({
  kind: "bring in",
  right: "run",
  ask: ({ reference }) => ({ target: `${prefix}/models/pull`, body: { model: reference } }),
});
const stopPull = (prefix: string): Promised =>
  one("run", ({ id }) => ({ target: `${prefix}/models/pull`, body: { taskId: id } }), "asked for");
const importFile = (prefix: string): Promised => ({
  kind: "bring in",
  right: "change",
  ask: ({ path }) => ({
    target: `${prefix}/models/import`,
    body: { model: "elsewhere/zqnew", modelPath: path },
  }),
});
const transfer = (right: Right, rest = ""): Promised =>
  one(right, ({ transfer: id }) => ({ target: `/v1/transfers/${id}${rest}` }), "asked for");
const add = (prefix: string): Promised => ({
  kind: "create",
  ask: (id) => ({ target: `${prefix}/models/add`, body: { model: id, engine: "openai" } }),
});

/** Every route: one that is not here fails the test. */
export const PROMISES: Readonly<Record<string, Promised>> = {
  "get /v1/models": list("/v1/models?limit=100"),
  "post /v1/models": {
    kind: "create",
    ask: (id) => ({ target: "/v1/models", body: { model_id: id, source_type: "local" } }),
  },
  "get /v1/models/{model_id}": one("read", at("/v1/models/")),
  "patch /v1/models/{model_id}": one("change", ({ id }) => ({
    target: `/v1/models/${id}`,
    body: { notes: "changed" },
  })),
  "delete /v1/models/{model_id}": one("change", at("/v1/models/")),
  "post /v1/models:bulk-create": {
    kind: "create",
    ask: (id) => ({
      target: "/v1/models:bulk-create?atomic=true",
      line: { model_id: id, source_type: "local" },
    }),
  },
  "post /v1/models:bulk-delete": one("change", ({ id }) => ({
    target: "/v1/models:bulk-delete?atomic=true",
    line: { model_id: id },
  })),
  "get /v1/export": list("/v1/export"),
  "post /v1/maintenance/check": { kind: "all", right: "admin", ask: { target: "/v1/maintenance/check" } },
  "get /v1/maintenance/backup": { kind: "all", right: "admin", ask: { target: "/v1/maintenance/backup" } },
  "get /v1/aliases": list("/v1/aliases?limit=100"),
  "put /v1/aliases/{alias}": one("change", ({ id }) => ({
    target: "/v1/aliases/another",
    body: { model_id: id },
  })),
  "delete /v1/aliases/{alias}": one("change", ({ id }) => ({ target: `/v1/aliases/${id}-alias` })),
  "get /v1/names": list("/v1/names?prefix=&limit=100"),
  "get /v1/tags": list("/v1/tags?limit=100"),
  "post /v1/tags": one("change", ({ id }) => ({ target: "/v1/tags", body: { model_id: id, add: ["new"] } })),
  "get /v1/history": list("/v1/history?limit=100"),
  "get /v1/runs": list("/v1/runs"),
  "post /v1/runs": one("run", ({ id }) => ({ target: "/v1/runs", body: { model_id: id, holder: "me" } })),
  "patch /v1/runs/{token}": one(
    "run",
    ({ lease }) => ({ target: `/v1/runs/${lease}`, body: { ttl_ms: 90_000 } }),
    "leased",
  ),
  "delete /v1/runs/{token}": one("run", ({ lease }) => ({ target: `/v1/runs/${lease}` }), "leased"),
  "get /v1/transfers": list("/v1/transfers?limit=100"),
  "post /v1/transfers": {
    kind: "bring in",
    right: "run",
    ask: ({ reference }) => ({ target: "/v1/transfers", body: { reference } }),
  },
  "get /v1/transfers/{transfer_id}": transfer("read"),
  "get /v1/transfers/{transfer_id}/events": transfer("read", "/events"),
  "post /v1/transfers/{transfer_id}/pause": transfer("run", "/pause"),
  "post /v1/transfers/{transfer_id}/resume": transfer("run", "/resume"),
  "delete /v1/transfers/{transfer_id}": transfer("run"),
  "get /v1/events": list("/v1/events?after=0"),

  "get /healthz": { kind: "public" },
  "get /readyz": { kind: "public" },
  "get /metrics": { kind: "figures" },

  "get /": { kind: "public" },
  "get /api/version": { kind: "anybody" },
  "get /api/tags": list("/api/tags"),
  "get /api/ps": list("/api/ps"),
  "post /api/show": one("read", ({ id }) => ({ target: "/api/show", body: { model: id } })),
  "post /api/copy": one("read", ({ id }) => ({ target: "/api/copy", body: { source: id, destination: id } })),
  "post /api/pull": {
    kind: "bring in",
    right: "run",
    ask: ({ reference }) => ({ target: "/api/pull", body: { model: reference } }),
  },
  "delete /api/delete": one("change", ({ id }) => ({ target: "/api/delete", body: { model: id } })),
  "get /api/v0/models": list("/api/v0/models"),
  "get /api/v0/models/{model}": one("read", at("/api/v0/models/")),
  "get /api/v1/models": list("/api/v1/models"),

  "get /models": list("/models"),
  "get /models/{model_id}": one("read", at("/models/")),
  "delete /models/{model_id}": one("change", at("/models/")),
  "get /v1/models/status/{model_id}": one("read", at("/v1/models/status/"), "leased"),
  "get /models/status/{model_id}": one("read", at("/models/status/"), "leased"),
  "post /v1/models/start": start("/v1"),
  "post /models/start": start(""),
  "post /v1/models/stop": stop("/v1"),
  "post /models/stop": stop(""),
  "post /v1/models/pull": pull("/v1"),
  "post /models/pull": pull(""),
  "delete /v1/models/pull": stopPull("/v1"),
  "delete /models/pull": stopPull(""),
  "post /v1/models/import": importFile("/v1"),
  "post /models/import": importFile(""),
  "post /v1/models/add": add("/v1"),
  "post /models/add": add(""),
};
