import { inspect } from "node:util";

import { describe, expect } from "vitest";

import {
  checkNewModel,
  isRegistryError,
  openRegistry,
  type ChangeOptions,
  type NewModel,
  type Registry,
} from "../../src/index.ts";
import { SCALAR_FIELDS } from "./arbitrary-models.ts";
import { ENGINES } from "./engines.ts";
import {
  bomb,
  BROKEN_JSON,
  BROKEN_LISTS,
  BROKEN_NAMES,
  BROKEN_NUMBERS,
  BROKEN_TEXT,
  BROKEN_TEXTS,
  BROKEN_TIMES,
  HUGE_TEXT,
  NOT_BOOLEAN,
  NOT_OBJECT,
  NOT_TEXT,
  SQL,
  STRANGE_KEYS,
} from "./hostile-values.ts";
import { localModel } from "./local-model.ts";
import { expectInvalid, expectRefusal } from "./refusal.ts";

type Call = (registry: Registry, value: never) => unknown;
/** What is called, the field that the refusal must name (any, where undefined), and with what. */
type Hostile = [what: string, field: string | undefined, call: Call, values: readonly unknown[]];

const withoutNull = (values: readonly unknown[]): readonly unknown[] =>
  values.filter((value) => value !== null);
const textFields = {
  authorRepo: "author_repo",
  branch: "branch",
  configPath: "config_path",
  engine: "engine",
  format: "format",
  architecture: "architecture",
  quantization: "quantization",
} as const;
const numberFields = {
  parameterCount: "parameter_count",
  contextLength: "context_length",
  sizeBytes: "size_bytes",
} as const;

const file = { path: "p", role: "weights" } as const;
const brokenWords = [
  ...NOT_TEXT,
  "",
  "Local",
  "LOCAL",
  " local",
  "hugging face",
  ...BROKEN_TEXT,
  HUGE_TEXT,
  ...SQL,
];
const brokenHashes = [
  "",
  "0".repeat(63),
  "0".repeat(65),
  "A".repeat(64),
  "g".repeat(64),
  `${"0".repeat(64)}\n`,
  5,
  {},
  HUGE_TEXT,
];

/** Every field of a model, in whatever takes one. */
function modelFields(what: string, call: (registry: Registry, fields: object) => unknown): Hostile[] {
  const slot = (property: string, field: string, values: readonly unknown[]): Hostile => [
    `${what} ${property}`,
    field,
    (registry, value) => call(registry, { [property]: value }),
    values,
  ];
  return [
    slot("sourceType", "source_type", brokenWords),
    slot("availability", "availability", brokenWords),
    ...Object.entries(textFields).map(([property, field]) => slot(property, field, BROKEN_TEXTS)),
    ...Object.entries(numberFields).map(([property, field]) => slot(property, field, BROKEN_NUMBERS)),
    slot("alias", "alias", withoutNull(BROKEN_NAMES)),
    [`${what} aliases`, undefined, (registry, value) => call(registry, { aliases: value }), BROKEN_LISTS],
    slot("capabilities", "capabilities", [...BROKEN_LISTS, ["a b"], ["x".repeat(65)]]),
    slot("tags", "tags", [...BROKEN_LISTS, ["a b"], ["x".repeat(65)], [SQL[0]]]),
    slot("metadata", "metadata", BROKEN_JSON),
    slot("notes", "notes", [
      ...NOT_TEXT.slice(1),
      "a\u0000b",
      "\u001B[2J",
      "\uD800",
      "x".repeat(65_537),
      HUGE_TEXT,
    ]),
    slot("pinned", "pinned", NOT_BOOLEAN),
    slot("owner", "owner", [
      ...NOT_TEXT.slice(1),
      "",
      "a b",
      "*",
      "-a",
      "x".repeat(65),
      ...BROKEN_TEXT,
      ...SQL,
    ]),
    slot("private", "private", NOT_BOOLEAN),
    slot("lastUsedAt", "last_used_at", BROKEN_TIMES),
  ];
}

function fileFields(what: string, call: (registry: Registry, file: object) => unknown): Hostile[] {
  const slot = (property: string, field: string, values: readonly unknown[]): Hostile => [
    `${what} ${property}`,
    field,
    (registry, value) => call(registry, { ...file, [property]: value }),
    values,
  ];
  return [
    slot("path", "path", [...NOT_TEXT, "", undefined, ...BROKEN_TEXT, "x".repeat(4097), HUGE_TEXT]),
    slot("role", "role", [undefined, ...brokenWords]),
    slot("sizeBytes", "size_bytes", BROKEN_NUMBERS),
    slot("verifiedAt", "verified_at", BROKEN_TIMES),
    slot("source", "source", BROKEN_TEXTS),
    slot("sha256", "sha256", brokenHashes),
    [
      `${what}, other keys`,
      undefined,
      (registry, keys: object) => call(registry, { ...file, ...own(keys) }),
      STRANGE_KEYS,
    ],
  ];
}

// A spread would lose an own key `__proto__`.
function own(keys: object): object {
  return Object.fromEntries(Object.entries(keys));
}

const named: [string, (registry: Registry, name: never) => unknown][] = [
  ["find", ({ models }, id) => models.find(id)],
  ["get", ({ models }, id) => models.get(id)],
  ["resolve", ({ models }, name) => models.resolve(name)],
  ["findByName", ({ models }, name) => models.findByName(name)],
  ["resolveMany", ({ models }, name) => models.resolveMany([name])],
  ["update", ({ models }, name) => models.update(name, { notes: "n" })],
  ["changeAliases", ({ models }, name) => models.changeAliases(name, { add: ["x"] })],
  ["repointAlias to", ({ models }, name) => models.repointAlias("x", name)],
  ["repointAlias of", ({ models }, name) => models.repointAlias(name, "a")],
  ["changeTags", ({ models }, name) => models.changeTags(name, { add: ["x"] })],
  ["delete", ({ models }, name) => models.delete(name)],
  ["files.list", ({ files }, name) => files.list(name)],
  ["files.put", ({ files }, name) => files.put(name, file)],
  ["files.delete", ({ files }, name) => files.delete(name, "p")],
  ["history of", ({ history }, id) => history.list({ modelId: id })],
  ["modelAt", ({ history }, id) => history.modelAt(id, 1)],
  ["acquire", ({ runs }, name) => runs.acquire(name, { holder: "h" })],
  ["runs of", ({ runs }, name) => runs.list({ name })],
  ["watch of", (registry, id) => registry.watch({ modelId: id }).next()],
];

const changes: [string, (registry: Registry, options: ChangeOptions) => unknown][] = [
  ["update", ({ models }, options) => models.update("a", { notes: "n" }, options)],
  ["changeAliases", ({ models }, options) => models.changeAliases("a", { add: ["x"] }, options)],
  ["repointAlias", ({ models }, options) => models.repointAlias("x", "a", options)],
  ["changeTags", ({ models }, options) => models.changeTags("a", { add: ["x"] }, options)],
  ["delete", ({ models }, options) => models.delete("a", options)],
  ["files.put", ({ files }, options) => files.put("a", { path: "new", role: "other" }, options)],
  ["files.delete", ({ files }, options) => files.delete("a", "p", options)],
  ["acquire", ({ runs }, options) => runs.acquire("a", { holder: "h" }, options)],
  ["release", ({ runs }, options) => runs.release(1, options)],
];

const brokenTokens = [0, ...BROKEN_NUMBERS, null];

const calls: readonly Hostile[] = [
  ...modelFields("create", ({ models }, fields) => models.create({ ...localModel("new"), ...fields })),
  ...modelFields("createMany", ({ models }, fields) =>
    models.createMany([{ ...localModel("new"), ...fields }]),
  ),
  ...modelFields("update", ({ models }, fields) => models.update("a", fields)),
  ...modelFields("checkNewModel", (_, fields) => checkNewModel({ ...localModel("new"), ...fields })),
  ...fileFields("files.put", ({ files }, one) => files.put("a", one as never)),
  ...fileFields("create with files", ({ models }, one) =>
    models.create(localModel("new", { files: [one as never] })),
  ),
  [
    "create createdAt",
    "created_at",
    ({ models }, at) => models.create(localModel("new", { createdAt: at })),
    [...BROKEN_TIMES, null],
  ],
  [
    "create updatedAt",
    "updated_at",
    ({ models }, at) => models.create(localModel("new", { updatedAt: at })),
    [...BROKEN_TIMES, null],
  ],
  [
    "create modelId",
    "model_id",
    ({ models }, id) => models.create(localModel(id)),
    [undefined, ...BROKEN_NAMES],
  ],
  [
    "create no sourceType",
    "source_type",
    ({ models }, value) => models.create({ modelId: "new", sourceType: value }),
    [undefined, null],
  ],
  [
    "create files",
    "files",
    ({ models }, files) => models.create(localModel("new", { files })),
    [null, 0, "p", {}, new Set([file])],
  ],
  [
    "create files items",
    undefined,
    ({ models }, one) => models.create(localModel("new", { files: [file, one] })),
    [...NOT_OBJECT, undefined, {}, file],
  ],
  [
    "create files holes",
    undefined,
    ({ models }, files) => models.create(localModel("new", { files })),
    [BROKEN_LISTS[7]],
  ],
  [
    "create",
    undefined,
    ({ models }, model) => models.create(model),
    [undefined, ...NOT_OBJECT, {}, ...STRANGE_KEYS],
  ],
  [
    "checkNewModel",
    undefined,
    (_, model) => checkNewModel(model),
    [undefined, ...NOT_OBJECT, {}, ...STRANGE_KEYS],
  ],
  [
    "create, other keys",
    undefined,
    ({ models }, keys) => models.create({ ...localModel("new"), ...own(keys) }),
    STRANGE_KEYS,
  ],
  [
    "createMany",
    undefined,
    ({ models }, list) => models.createMany(list),
    [undefined, ...NOT_OBJECT.filter((value) => !Array.isArray(value)), {}],
  ],
  [
    "createMany items",
    undefined,
    ({ models }, one) => models.createMany([localModel("first"), one]),
    [undefined, ...NOT_OBJECT, {}],
  ],
  [
    "createMany options",
    undefined,
    ({ models }, options) => models.createMany([], options),
    [...NOT_OBJECT, ...STRANGE_KEYS],
  ],
  [
    "update",
    undefined,
    ({ models }, update) => models.update("a", update),
    [undefined, ...NOT_OBJECT, ...STRANGE_KEYS],
  ],
  [
    "changeAliases",
    undefined,
    ({ models }, change) => models.changeAliases("a", change),
    [undefined, ...NOT_OBJECT, ...STRANGE_KEYS],
  ],
  ["changeAliases add", undefined, ({ models }, add) => models.changeAliases("a", { add }), BROKEN_LISTS],
  [
    "changeAliases remove",
    undefined,
    ({ models }, remove) => models.changeAliases("a", { remove }),
    BROKEN_LISTS,
  ],
  [
    "changeTags",
    undefined,
    ({ models }, change) => models.changeTags("a", change),
    [undefined, ...NOT_OBJECT, ...STRANGE_KEYS],
  ],
  ["changeTags add", "tags", ({ models }, add) => models.changeTags("a", { add }), BROKEN_LISTS],
  ["changeTags remove", "tags", ({ models }, remove) => models.changeTags("a", { remove }), BROKEN_LISTS],
  ["resolveMany", undefined, ({ models }, names) => models.resolveMany(names), [undefined, ...BROKEN_LISTS]],
  ...named.map(([what, call]): Hostile => [
    `${what} a name`,
    undefined,
    call,
    [undefined, ...BROKEN_NAMES].slice(what.includes(" of") ? 1 : 0),
  ]),
  ...changes.flatMap(([what, call]): Hostile[] => [
    [`${what} options`, undefined, call as Call, [...NOT_OBJECT, ...STRANGE_KEYS]],
    [
      `${what} actor`,
      "actor",
      (registry, actor) => call(registry, { actor }),
      [...NOT_TEXT, "", ...BROKEN_TEXT, HUGE_TEXT],
    ],
    [
      `${what} version`,
      "expected_row_version",
      (registry, version) => call(registry, { expectedRowVersion: version }),
      brokenTokens,
    ],
    [
      `${what} lease`,
      "lease_token",
      (registry, token) => call(registry, { leaseToken: token }),
      brokenTokens,
    ],
  ]),
  [
    "create options",
    undefined,
    ({ models }, options) => models.create(localModel("new"), options),
    [...NOT_OBJECT, ...STRANGE_KEYS, { leaseToken: 1 }, { expectedRowVersion: 1 }],
  ],
  ...(["create", "createMany", "transaction"] as const).map((what): Hostile => [
    `${what} actor`,
    "actor",
    (registry, actor) => {
      if (what === "transaction") return registry.transaction(async () => 1, { actor });
      if (what === "create") return registry.models.create(localModel("new"), { actor });
      return registry.models.createMany([localModel("new")], { actor });
    },
    [...NOT_TEXT, "", ...BROKEN_TEXT, HUGE_TEXT],
  ]),
  [
    "names",
    undefined,
    ({ models }, options) => models.names(options),
    [undefined, ...NOT_OBJECT, {}, ...STRANGE_KEYS],
  ],
  [
    "names prefix",
    "prefix",
    ({ models }, prefix) => models.names({ prefix }),
    [undefined, ...NOT_TEXT, ...BROKEN_TEXT, HUGE_TEXT],
  ],
  [
    "names limit",
    "limit",
    ({ models }, limit) => models.names({ prefix: "", limit }),
    [0, 1001, null, ...BROKEN_NUMBERS],
  ],
  ["list", undefined, ({ models }, options) => models.list(options), [...NOT_OBJECT, ...STRANGE_KEYS]],
  ["list limit", "limit", ({ models }, limit) => models.list({ limit }), [0, 1001, null, ...BROKEN_NUMBERS]],
  ["list total", "total", ({ models }, total) => models.list({ total }), NOT_BOOLEAN],
  [
    "list cursor",
    "cursor",
    ({ models }, cursor) => models.list({ cursor }),
    [...withoutNull(NOT_TEXT), "", "x", ...BROKEN_TEXT, HUGE_TEXT, ...SQL],
  ],
  ["list sort", undefined, ({ models }, sort) => models.list({ sort }), [...NOT_OBJECT, {}, ...STRANGE_KEYS]],
  [
    "list sort field",
    "sort",
    ({ models }, field) => models.list({ sort: { field } }),
    [...NOT_TEXT, "", ...BROKEN_TEXT, HUGE_TEXT, ...SQL],
  ],
  [
    "list direction",
    "direction",
    ({ models }, direction) => models.list({ sort: { field: "notes", direction } }),
    [...NOT_TEXT, "", "ASC", "asc; --", HUGE_TEXT],
  ],
  ...(["list", "count"] as const).flatMap((method): Hostile[] => [
    [
      `${method} search`,
      "search",
      ({ models }, search) => models[method]({ search }),
      [...NOT_TEXT, ...BROKEN_TEXT, HUGE_TEXT],
    ],
    [
      `${method} tags`,
      undefined,
      ({ models }, tags) => models[method]({ tags }),
      [...NOT_OBJECT, ...STRANGE_KEYS],
    ],
    ...(["all", "any", "none"] as const).map((kind): Hostile => [
      `${method} tags ${kind}`,
      "tags",
      ({ models }, tags) => models[method]({ tags: { [kind]: tags } }),
      BROKEN_LISTS,
    ]),
    [
      `${method} filter`,
      undefined,
      ({ models }, filter) => models[method]({ filter }),
      [...NOT_OBJECT, ...STRANGE_KEYS],
    ],
    ...SCALAR_FIELDS.flatMap(({ name, type }): Hostile[] => {
      const texts =
        type === "text"
          ? [0, true, 10n, Symbol("s"), ...BROKEN_TEXT, HUGE_TEXT]
          : ["", "x", 1.5, Number.NaN, 2 ** 53, 10n, HUGE_TEXT, ...SQL];
      const values = type === "boolean" ? [0, 1, "true"] : type === "status" ? [2, -1, "0", true] : texts;
      const lists = [[], [{}], [[]], [undefined], BROKEN_LISTS[7], Array.from({ length: 501 }, () => null)];
      return [
        [
          `${method} filter ${name}`,
          name,
          ({ models }, value) => models[method]({ filter: { [name]: value } }),
          [...values, ...lists, new Date(0)],
        ],
        [
          `${method} filter in ${name}`,
          name,
          ({ models }, value) => models[method]({ filter: { [name]: [value] } }),
          values,
        ],
        [
          `${method} filter gt ${name}`,
          name,
          ({ models }, gt) => models[method]({ filter: { [name]: { gt } } }),
          [null, ...values, {}, []],
        ],
        [
          `${method} filter like ${name}`,
          name,
          ({ models }, like) => models[method]({ filter: { [name]: { like } } }),
          [null, "", 1, true, {}, [], "a\u0000", HUGE_TEXT],
        ],
        [
          `${method} filter ${name}, other operators`,
          undefined,
          ({ models }, keys) => models[method]({ filter: { [name]: keys } }),
          [...STRANGE_KEYS, new Map(), new Set(["a"]), Promise.resolve("a")],
        ],
      ];
    }),
  ]),
  [
    "count",
    undefined,
    ({ models }, options) => models.count(options),
    [...NOT_OBJECT, ...STRANGE_KEYS, { limit: 1 }, { cursor: "x" }, { sort: { field: "notes" } }],
  ],
  [
    "files.delete a path",
    undefined,
    ({ files }, path) => files.delete("a", path),
    [undefined, ...NOT_TEXT, "", ...BROKEN_TEXT, HUGE_TEXT],
  ],
  [
    "files.put",
    undefined,
    ({ files }, one) => files.put("a", one),
    [undefined, ...NOT_OBJECT, {}, ...STRANGE_KEYS],
  ],
  ["history", undefined, ({ history }, options) => history.list(options), [...NOT_OBJECT, ...STRANGE_KEYS]],
  [
    "history actor",
    "actor",
    ({ history }, actor) => history.list({ actor }),
    [...NOT_TEXT, "", ...BROKEN_TEXT, HUGE_TEXT],
  ],
  [
    "history kind",
    "kind",
    ({ history }, kind) => history.list({ kind }),
    [...NOT_TEXT, "", [], [[]], ["created", "x"], BROKEN_LISTS[7], HUGE_TEXT, ...SQL],
  ],
  ["history since", "since", ({ history }, since) => history.list({ since }), [...BROKEN_TIMES, null]],
  ["history until", "until", ({ history }, until) => history.list({ until }), [...BROKEN_TIMES, null]],
  [
    "history order",
    "order",
    ({ history }, order) => history.list({ order }),
    [...NOT_TEXT, "", "DESC", ...SQL],
  ],
  [
    "history limit",
    "limit",
    ({ history }, limit) => history.list({ limit }),
    [0, 1001, null, ...BROKEN_NUMBERS],
  ],
  [
    "history cursor",
    "cursor",
    ({ history }, cursor) => history.list({ cursor }),
    [...withoutNull(NOT_TEXT), "", "-1", "1.5", "1e3", " 1", "9".repeat(40), HUGE_TEXT, ...SQL],
  ],
  [
    "modelAt a time",
    "time",
    ({ history }, time) => history.modelAt("a", time),
    [undefined, null, ...BROKEN_TIMES],
  ],
  [
    "acquire",
    undefined,
    ({ runs }, run) => runs.acquire("a", run),
    [undefined, ...NOT_OBJECT, {}, ...STRANGE_KEYS],
  ],
  [
    "acquire holder",
    "holder",
    ({ runs }, holder) => runs.acquire("a", { holder }),
    [...NOT_TEXT, "", ...BROKEN_TEXT, HUGE_TEXT],
  ],
  ["acquire node", "node", ({ runs }, node) => runs.acquire("a", { holder: "h", node }), BROKEN_TEXTS],
  [
    "acquire endpoint",
    "endpoint",
    ({ runs }, endpoint) => runs.acquire("a", { holder: "h", endpoint }),
    BROKEN_TEXTS,
  ],
  [
    "acquire pid",
    "pid",
    ({ runs }, pid) => runs.acquire("a", { holder: "h", pid }),
    [0, 2 ** 40, ...BROKEN_NUMBERS],
  ],
  [
    "acquire ttlMs",
    "ttl_ms",
    ({ runs }, ttlMs) => runs.acquire("a", { holder: "h", ttlMs }),
    [0, 999, null, ...BROKEN_NUMBERS],
  ],
  ["acquire join", "join", ({ runs }, join) => runs.acquire("a", { holder: "h", join }), NOT_BOOLEAN],
  ["renew a token", "token", ({ runs }, token) => runs.renew(token), [undefined, ...brokenTokens]],
  [
    "renew options",
    undefined,
    ({ runs }, options) => runs.renew(1, options),
    [...NOT_OBJECT, ...STRANGE_KEYS],
  ],
  ["release a token", "token", ({ runs }, token) => runs.release(token), [undefined, ...brokenTokens]],
  ["runs", undefined, ({ runs }, options) => runs.list(options), [...NOT_OBJECT, ...STRANGE_KEYS]],
  [
    "transaction options",
    undefined,
    (registry, options) => registry.transaction(async () => 1, options),
    [...NOT_OBJECT, ...STRANGE_KEYS],
  ],
  [
    "watch",
    undefined,
    (registry, options) => registry.watch(options).next(),
    [...NOT_OBJECT, ...STRANGE_KEYS],
  ],
  ["watch after", "after", (registry, after) => registry.watch({ after }).next(), [null, ...BROKEN_NUMBERS]],
  ["migrate", "target", (registry, target) => registry.migrate(target), [null, 1e6, ...BROKEN_NUMBERS]],
];

// By what is called: the first word.
const groups = [...Map.groupBy(calls, ([what]) => what.split(/[ ,]/)[0]!)];

function shown(value: unknown): string {
  return inspect(value, { depth: 2, maxArrayLength: 3, maxStringLength: 40, breakLength: Infinity }).slice(
    0,
    80,
  );
}

describe.each(ENGINES)("bad input ($name)", ({ test }) => {
  test.for(groups)(
    "%s: is refused by its field, and nothing is written",
    async ([, hostile], { registry, store }) => {
      await registry.models.create(localModel("a", { files: [file] }));
      let before = await store.dump();
      const failures: unknown[] = [];
      for (const [what, field, call, values] of hostile) {
        for (const value of values) {
          const shownCall = `${what} ${shown(value)}`;
          try {
            await expectInvalid(field, async () => call(registry, value as never), shownCall);
          } catch (error) {
            failures.push((error as Error).message.slice(0, 300));
          }
        }
        const after = await store.dump();
        if (after !== before) failures.push(`${what} wrote something`);
        before = after;
      }
      expect(failures).toEqual([]);
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    },
  );

  test("SQL in any text is a text like any other", async ({ registry, store }) => {
    const tables = Object.keys(JSON.parse(await store.dump()) as object);
    for (const [index, sql] of SQL.entries()) {
      const modelId = `${sql} ${index}`;
      const texts = Object.fromEntries(Object.keys(textFields).map((property) => [property, sql]));
      const model: NewModel = {
        modelId,
        sourceType: "local",
        alias: `alias ${sql} ${index}`,
        aliases: [`more ${sql} ${index}`],
        ...texts,
        notes: sql,
        metadata: { [sql]: sql },
        files: [{ path: sql, role: "weights", source: sql }],
      };
      const created = await registry.models.create(model, { actor: sql });
      expect(created).toMatchObject({
        ...texts,
        modelId,
        alias: model.alias,
        notes: sql,
        metadata: { [sql]: sql },
      });
      expect(await registry.models.get(modelId)).toEqual(created);
      expect(await registry.models.resolve(`more ${sql} ${index}`)).toEqual(created);
      expect((await registry.models.resolveMany([modelId])).size).toBe(1);
      expect(await registry.models.names({ prefix: modelId })).toHaveLength(1);
      expect(await registry.files.list(modelId)).toMatchObject([{ path: sql, source: sql }]);
      expect((await registry.history.list({ actor: sql, modelId })).items).toHaveLength(1);
      for (const { name, type } of SCALAR_FIELDS) {
        if (type !== "text" || ["source_type", "availability", "owner", "row_checksum"].includes(name))
          continue;
        const wanted = name === "model_id" ? modelId : name === "alias" ? model.alias! : sql;
        expect(await registry.models.count({ filter: { [name]: wanted } }), name).toBe(1);
        expect(await registry.models.count({ filter: { [name]: { like: wanted } } }), name).toBe(1);
      }
      expect(await registry.models.count({ search: sql })).toBeGreaterThanOrEqual(1);
      const updated = await registry.models.update(modelId, { notes: `${sql}${sql}` }, { actor: sql });
      expect(updated.notes).toBe(`${sql}${sql}`);
      const run = await registry.runs.acquire(modelId, { holder: sql, node: sql, endpoint: sql });
      expect(await registry.runs.list({ name: modelId })).toMatchObject([
        { holder: sql, node: sql, endpoint: sql },
      ]);
      await registry.runs.release(run.token);
    }
    expect(await registry.models.count()).toBe(SQL.length);
    expect(Object.keys(JSON.parse(await store.dump()) as object)).toEqual(tables);
  });

  test("the longest and strangest texts that are allowed come back as they were", async ({ registry }) => {
    const modelId = "界".repeat(1024);
    const text = "😀".repeat(2048);
    const notes = "\n\t\r😀".repeat(13_107);
    const created = await registry.models.create({
      modelId,
      sourceType: "local",
      alias: "x".repeat(1024),
      authorRepo: text,
      configPath: " blanks at both ends ",
      notes,
      metadata: { text: "x".repeat(1_000_000), "\u0000": "\u0000\u001B\u2028" },
      createdAt: 0,
      lastUsedAt: 253_402_300_799_999,
    });
    expect(created).toMatchObject({ authorRepo: text, notes, configPath: " blanks at both ends " });
    expect(await registry.models.get(modelId)).toEqual(created);
    expect(await registry.models.resolve("x".repeat(1024))).toEqual(created);
    expect(await registry.history.modelAt(modelId, Date.now())).toEqual(created);
  });

  test("an object that is endless to walk is refused at once, wherever it stands", async ({ registry }) => {
    const { models, history, runs } = registry;
    const attempts: [string, (endless: never) => unknown][] = [
      ["a model", (endless) => models.create(endless)],
      ["an id", (endless) => models.create(localModel(endless))],
      ["a text", (endless) => models.create(localModel("a", { notes: endless }))],
      ["a word", (endless) => models.create({ modelId: "a", sourceType: endless })],
      ["a number", (endless) => models.create(localModel("a", { sizeBytes: endless }))],
      ["a boolean", (endless) => models.create(localModel("a", { pinned: endless }))],
      ["a list", (endless) => models.create(localModel("a", { tags: endless }))],
      ["an item of a list", (endless) => models.create(localModel("a", { tags: [endless] }))],
      ["an array of metadata", (endless) => models.create(localModel("a", { metadata: { a: [endless] } }))],
      ["a filter", (endless) => models.list({ filter: { notes: endless } })],
      ["a value of a filter", (endless) => models.list({ filter: { notes: [endless] } })],
      ["a search", (endless) => models.list({ search: endless })],
      ["a cursor", (endless) => models.list({ cursor: endless })],
      ["a kind", (endless) => history.list({ kind: endless })],
      ["a holder", (endless) => runs.acquire("a", { holder: endless })],
    ];
    const failures: string[] = [];
    for (const [what, attempt] of attempts) {
      const endless = bomb(() => failures.push(`${what} is walked through`)) as never;
      await expectInvalid(undefined, async () => attempt(endless), what).catch((error: Error) =>
        failures.push(error.message),
      );
    }
    expect(failures).toEqual([]);
  });

  test("a refusal shows the value short, whole and unable to drive a terminal", async ({ registry }) => {
    for (let length = 60; length < 90; length++) {
      const refusal = await expectRefusal(
        "model_not_found",
        registry.models.get(`${"x".repeat(length)}😀😀😀😀`),
      );
      expect(refusal.message.isWellFormed(), refusal.message).toBe(true);
    }
    const refusal = await expectRefusal("invalid_input", registry.models.get("\u001B]0;owned\u0007\u202E"));
    expect(refusal.message).toContain("\\");
  });

  test.for([
    [
      "location",
      [
        undefined,
        null,
        5,
        {},
        [],
        "",
        "a\u0000b",
        "\uD800",
        "x".repeat(5000),
        ":memory:",
        "postgres://x/y",
        "https://x",
      ],
    ],
    ["mode", [null, 5, "", "readonly", "CREATE", {}]],
    ["migrate", NOT_BOOLEAN],
    ["actor", [...NOT_TEXT, "", ...BROKEN_TEXT, HUGE_TEXT]],
    ["busy_timeout_ms", [600_001, null, ...BROKEN_NUMBERS]],
    ["options", [...NOT_OBJECT, ...STRANGE_KEYS]],
  ] as const)(
    "opening with a bad %s is refused, and nothing is created",
    async ([field, values], { store }) => {
      for (const value of values) {
        const open = (): Promise<unknown> => {
          if (field === "location") return openRegistry(value as never);
          if (field === "options") return openRegistry(store.location, value as never);
          const option = field === "busy_timeout_ms" ? "busyTimeoutMs" : field;
          return openRegistry(store.location, { [option]: value });
        };
        await expectInvalid(field === "options" ? undefined : field, open, shown(value));
        const absent = openRegistry(store.location, { mode: "write" });
        await expectRefusal("not_found", absent, `${field} ${shown(value)} created`);
      }
    },
  );

  test("what an error is can be asked of anything", () => {
    for (const value of [
      undefined,
      null,
      5,
      "RegistryError",
      {},
      new Error("x"),
      { name: "RegistryError", code: "x" },
    ]) {
      expect(isRegistryError(value)).toBe(false);
    }
  });
});
