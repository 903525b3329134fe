import { describe, expect } from "vitest";

import {
  ROLES,
  type GuardedRegistry,
  type Identity,
  type NewGrant,
  type Registry,
  type Right,
  type Role,
} from "../../src/index.ts";
import { ENGINES } from "./engines.ts";
import { localModel } from "./local-model.ts";
import { expectInvalid, expectRefusal } from "./refusal.ts";

/** Somebody who is granted something, as a request of theirs meets the registry. */
async function somebody(
  registry: Registry,
  name: string,
  grants: readonly NewGrant[],
  scopes: readonly Right[] = [],
): Promise<{ identity: Identity; mine: GuardedRegistry }> {
  const known = await registry.access.users.find(name);
  if (known === undefined) await registry.access.users.create({ name, grants });
  else await registry.access.users.update(name, { grants });
  const { token } = await registry.access.tokens.create(name, { scopes });
  const identity = await registry.access.authenticate(token);
  const origin = { address: "192.0.2.7", requestId: "r-1" };
  return { identity, mine: registry.as({ identity, origin }) };
}

/** A model of each kind: nobody's, mine, mine alone, somebody else's, and theirs alone. */
const MODELS = ["free", "own", "own-private", "other", "other-private"] as const;
type Kind = (typeof MODELS)[number];

async function fill(registry: Registry): Promise<void> {
  for (const name of ["ann", "zoe"]) {
    await registry.access.users.create({ name, grants: [{ role: "reader" }] });
  }
  for (const kind of MODELS) {
    const owner = kind === "free" ? null : kind.startsWith("own") ? "ann" : "zoe";
    await registry.models.create(
      localModel(`model-${kind}`, {
        alias: `alias-${kind}`,
        owner,
        private: kind.endsWith("-private"),
        tags: ["t"],
        notes: "needle",
        files: [{ path: "p", role: "weights" }],
      }),
    );
  }
}

const RIGHT_OF: Record<string, Right> = {
  find: "read",
  get: "read",
  findByName: "read",
  resolve: "read",
  resolveJson: "read",
  "files.list": "read",
  "runs.list": "read",
  modelAt: "read",
  update: "change",
  changeAliases: "change",
  repointAlias: "change",
  changeTags: "change",
  "files.put": "change",
  "files.delete": "change",
  acquire: "run",
  renew: "run",
  release: "run",
  "update owner": "admin",
  delete: "change",
};

/** Every method that is about one model. */
const METHODS: Record<string, (mine: GuardedRegistry, id: string, registry: Registry) => Promise<unknown>> = {
  find: ({ models }, id) => models.find(id),
  get: ({ models }, id) => models.get(id),
  findByName: ({ models }, id) => models.findByName(id.replace("model", "alias")),
  resolve: ({ models }, id) => models.resolve(id.replace("model", "alias")),
  resolveJson: ({ models }, id) => models.resolveJson(id),
  "files.list": ({ files }, id) => files.list(id),
  "runs.list": ({ runs }, id) => runs.list({ name: id }),
  modelAt: ({ history }, id) => history.modelAt(id, Date.now()),
  update: ({ models }, id) => models.update(id, { notes: "changed needle" }),
  changeAliases: ({ models }, id) => models.changeAliases(id, { add: [`more-${id}`] }),
  repointAlias: ({ models }, id) => models.repointAlias(`new-${id}`, id),
  changeTags: ({ models }, id) => models.changeTags(id, { add: ["u"] }),
  "files.put": ({ files }, id) => files.put(id, { path: "q", role: "other" }),
  "files.delete": ({ files }, id) => files.delete(id, "p"),
  acquire: ({ runs }, id) => runs.acquire(id, { holder: "h", join: true }),
  renew: async ({ runs }, id, registry) => runs.renew(await leased(registry, id)),
  release: async ({ runs }, id, registry) => runs.release(await leased(registry, id)),
  "update owner": ({ models }, id) => models.update(id, { owner: "max" }),
  delete: ({ models }, id) => models.delete(id),
};

async function leased(registry: Registry, id: string): Promise<number> {
  const { token } = await registry.runs.acquire(id, { holder: "somebody", pid: null });
  return token;
}

function sorted(ids: readonly string[]): string[] {
  return ids.toSorted();
}

/** What the rule says, written down once more as plainly as can be. */
function mayAnn(role: Role, kind: Kind, right: Right): "yes" | "no" | "unseen" {
  if (kind === "other-private" && role !== "admin") return "unseen";
  const granted = ROLES.indexOf(role);
  const needed = (["read", "run", "change", "admin"] as const).indexOf(right);
  return Math.max(granted, kind.startsWith("own") ? 2 : 0) >= needed ? "yes" : "no";
}

describe.each(ENGINES)("who may do what ($name)", ({ test }) => {
  test.for(ROLES.flatMap((role) => MODELS.map((kind) => [role, kind] as const)))(
    "a %s and a model that is %s: every method does what the rule says",
    { timeout: 60_000 },
    async ([role, kind], { registry }) => {
      await fill(registry);
      await registry.access.users.create({ name: "max", grants: [{ role: "reader" }] });
      const { mine } = await somebody(registry, "ann", [{ role }]);
      const id = `model-${kind}`;
      for (const [name, call] of Object.entries(METHODS)) {
        const right = RIGHT_OF[name]!;
        const expected = mayAnn(role, kind, right);
        const outcome = await call(mine, id, registry).then(
          (value) => (value === undefined && right === "read" ? "unseen" : "yes"),
          (error: { code: string; message: string }) => {
            if (error.code === "permission_denied") {
              expect(error.message).toMatch(
                right === "admin" ? /right "(change|admin)"/ : `right "${right}"`,
              );
              return "no";
            }
            return ["model_not_found", "lease_lost"].includes(error.code) ? "unseen" : error;
          },
        );
        expect(outcome, name).toBe(expected);
        for (const { token } of await registry.runs.list()) await registry.runs.release(token);
        if (name === "update owner" && expected === "yes") break;
      }
    },
  );

  test.for(ROLES)("a %s finds in lists of all kinds just what is seen", async (role, { registry }) => {
    await fill(registry);
    const { mine } = await somebody(registry, "ann", [{ role }]);
    const seen = MODELS.filter((kind) => mayAnn(role, kind, "read") !== "unseen").map(
      (kind) => `model-${kind}`,
    );
    for (const id of MODELS) await registry.runs.acquire(`model-${id}`, { holder: "h" });
    const options = [{}, { search: "needle" }, { tags: { all: ["t"] } }, { filter: { notes: "needle" } }];
    for (const selection of options) {
      const page = await mine.models.list({ ...selection, total: true });
      expect(sorted(page.items.map(({ modelId }) => modelId))).toEqual(sorted(seen));
      expect(page.total).toBe(seen.length);
      expect(await mine.models.count(selection)).toBe(seen.length);
      expect((await mine.models.listJson(selection)).items).toHaveLength(seen.length);
      expect((await mine.models.summaries(selection)).items).toHaveLength(seen.length);
      const first = await mine.models.list({ ...selection, limit: 1 });
      const rest = await mine.models.list({ ...selection, cursor: first.nextCursor });
      expect(rest.items).toHaveLength(seen.length - 1);
    }
    const ids = MODELS.map((kind) => `model-${kind}`);
    expect(sorted([...(await mine.models.resolveMany(ids)).keys()])).toEqual(sorted(seen));
    expect(sorted((await mine.models.names({ prefix: "model-" })).map(({ name }) => name))).toEqual(
      sorted(seen),
    );
    expect(sorted((await mine.runs.list()).map(({ modelId }) => modelId))).toEqual(sorted(seen));
    const { items } = await mine.history.list({ kind: "created" });
    expect(sorted(items.map(({ modelId }) => modelId))).toEqual(sorted(seen));
    const watched: string[] = [];
    for await (const { modelId, kind } of mine.watch({ after: 0 })) {
      if (kind === "created") watched.push(modelId);
      if (watched.length === seen.length) break;
    }
    expect(sorted(watched)).toEqual(sorted(seen));
  });

  test("a guess that is near the name of a model that is not seen is given no hint", async ({ registry }) => {
    await fill(registry);
    const { mine } = await somebody(registry, "ann", [{ role: "editor" }]);
    const guess = async (name: string): Promise<string> =>
      (await expectRefusal("model_not_found", mine.models.resolve(name))).message;
    expect(await guess("model-other-privat")).not.toContain("model-other-private");
    expect(await guess("model-own-privat")).toContain("model-own-private");
    const unseen = await guess("model-other-private");
    await expectRefusal(
      "model_not_found",
      mine.models.update("model-other-private", { notes: "n" }, { expectedRowVersion: 9 }),
    );
    await registry.models.delete("model-other-private");
    expect(await guess("model-other-private")).toBe(unseen);
  });

  test("a name that a model has which is not seen is taken, and no more is said of it", async ({
    registry,
  }) => {
    await fill(registry);
    const { mine } = await somebody(registry, "ann", [{ role: "editor" }]);
    const attempts = [
      mine.models.create(localModel("alias-other-private")),
      mine.models.create(localModel("new", { aliases: ["alias-other-private"] })),
      mine.models.update("model-own", { alias: "alias-other-private" }),
      mine.models.repointAlias("alias-other-private", "model-own"),
    ];
    for (const attempt of attempts) {
      expect((await expectRefusal("name_taken", attempt)).message).not.toContain("model-other-private");
    }
    const own = await expectRefusal("name_taken", mine.models.create(localModel("model-other-private")));
    expect(own.message).toBe('"model-other-private" is taken. Choose another name.');
  });

  test("a new model is its maker's, needs a grant that covers it, and is no other's but by an admin", async ({
    registry,
  }) => {
    await fill(registry);
    const { mine } = await somebody(registry, "ann", [
      { role: "reader" },
      { role: "editor", pattern: "a/*" },
      { role: "editor", tag: "ours" },
    ]);
    expect(await mine.models.create(localModel("a/1", { private: true }))).toMatchObject({ owner: "ann" });
    expect((await mine.models.create(localModel("a/2", { owner: null }))).owner).toBeNull();
    expect((await mine.models.create(localModel("b", { tags: ["ours"] }))).owner).toBe("ann");
    const refused = await expectRefusal("permission_denied", mine.models.create(localModel("c")));
    expect(refused.message).toContain('needs the right "change"');
    const foreign = mine.models.create(localModel("a/3", { owner: "zoe" }));
    expect((await expectRefusal("permission_denied", foreign)).message).toContain('needs the right "admin"');
    await expectRefusal("permission_denied", mine.models.createMany([localModel("a/4"), localModel("d")]));
    expect(await registry.models.find("a/4")).toBeUndefined();
    const { mine: root } = await somebody(registry, "root", [{ role: "admin" }]);
    expect((await root.models.create(localModel("e", { owner: "zoe", private: true }))).owner).toBe("zoe");
    await expectInvalid("owner", root.models.create(localModel("f", { owner: "nobody" })));
    await expectInvalid("owner", registry.models.update("e", { owner: "nobody" }));
    await expectInvalid("private", root.models.update("e", { owner: null }));
    await expectInvalid("private", registry.models.create(localModel("g", { private: true })));
  });

  test("whether a model is private is for its owner and admins to say", async ({ registry }) => {
    await fill(registry);
    const { mine } = await somebody(registry, "ann", [{ role: "editor" }]);
    expect((await mine.models.update("model-own", { private: true })).private).toBe(true);
    await expectRefusal("permission_denied", mine.models.update("model-other", { private: true }));
    const { mine: root } = await somebody(registry, "root", [{ role: "admin" }]);
    expect((await root.models.update("model-other", { private: true })).private).toBe(true);
    await expectRefusal("model_not_found", mine.models.get("model-other"));
  });

  test("nobody gives themselves more rights by a tag", async ({ registry }) => {
    await fill(registry);
    const grants: NewGrant[] = [{ role: "editor" }, { role: "admin", tag: "mine" }];
    const { mine } = await somebody(registry, "max", grants);
    for (const change of [
      () => mine.models.update("model-other", { tags: ["t", "mine"] }),
      () => mine.models.changeTags("model-other", { add: ["mine"] }),
    ]) {
      const refused = await expectRefusal("permission_denied", change());
      expect(refused.message).toContain('needs the right "admin"');
    }
    expect((await mine.models.changeTags("model-other", { add: ["u"], remove: ["t"] })).tags).toEqual(["u"]);
    await registry.models.changeTags("model-other", { add: ["mine"] });
    expect((await mine.models.update("model-other", { owner: "max" })).owner).toBe("max");
  });

  test("where a lease answers is for who took it to say, and for admins", async ({ registry }) => {
    await fill(registry);
    const { mine } = await somebody(registry, "ann", [{ role: "operator" }]);
    const { mine: others } = await somebody(registry, "max", [{ role: "operator" }]);
    const { mine: root } = await somebody(registry, "root", [{ role: "admin" }]);
    const claim = { holder: "h", pid: 1 };
    const { token } = await mine.runs.acquire("model-free", { ...claim, endpoint: "http://one" });
    await expectRefusal(
      "permission_denied",
      others.runs.acquire("model-free", { ...claim, endpoint: "http://evil" }),
    );
    const endpoints = [];
    for (const [runs, endpoint] of [
      [others.runs, undefined],
      [others.runs, "http://one"],
      [mine.runs, "http://two"],
      [root.runs, "http://three"],
    ] as const) {
      const run = await runs.acquire("model-free", { ...claim, endpoint });
      expect(run.token).toBe(token);
      endpoints.push(run.endpoint);
    }
    expect(endpoints).toEqual(["http://one", "http://one", "http://two", "http://three"]);
  });

  test("a narrowed grant holds for the models that it names, and for no others", async ({ registry }) => {
    await fill(registry);
    await registry.models.create(localModel("a*b?[c]"));
    const grants: [NewGrant, string[]][] = [
      [{ role: "reader", pattern: "model-o*" }, ["model-other", "model-own"]],
      [{ role: "reader", pattern: "model-other" }, ["model-other"]],
      [{ role: "reader", pattern: "MODEL-*" }, []],
      [{ role: "reader", pattern: "a*b?[c]" }, ["a*b?[c]"]],
      [{ role: "reader", pattern: "a*b?c" }, []],
      [{ role: "reader", owner: "zoe" }, ["model-other"]],
      [{ role: "admin", owner: "zoe" }, ["model-other", "model-other-private"]],
      [{ role: "reader", tag: "t", pattern: "*free" }, ["model-free"]],
      [{ role: "reader", tag: "none" }, []],
    ];
    for (const [index, [grant, ids]] of grants.entries()) {
      const { mine } = await somebody(registry, `user${index}`, [grant]);
      const { items } = await mine.models.list();
      expect(items.map(({ modelId }) => modelId).toSorted(), JSON.stringify(grant)).toEqual(ids);
    }
  });

  test("scopes limit what is done, and not what is seen", async ({ registry }) => {
    await fill(registry);
    const { mine } = await somebody(registry, "root", [{ role: "admin" }], ["run"]);
    expect((await mine.models.list()).items).toHaveLength(5);
    const refused = await expectRefusal("permission_denied", mine.models.update("model-own", { notes: "" }));
    expect(refused.message).toContain('needs the right "change"; the token\'s scopes leave it out');
    await mine.runs.acquire("model-own", { holder: "h" });
    expect(mine.rightsOn(await mine.models.get("model-own"))).toEqual(["read", "run"]);
    expect(() => mine.check("read")).not.toThrow();
    await expectRefusal("permission_denied", () => mine.check("admin"));
    expect(() => mine.checkAny("run", "Fetching models")).not.toThrow();
    await expectRefusal("permission_denied", () => mine.checkAny("change", "Importing models"));
  });

  test("each change tells who made it and from where, and nobody speaks for another", async ({
    registry,
  }) => {
    const { mine } = await somebody(registry, "ann", [{ role: "admin" }]);
    await mine.models.create(localModel("a"));
    await mine.transaction(async ({ models }) => models.update("a", { notes: "n" }));
    await mine.runs.release((await mine.runs.acquire("a", { holder: "h" })).token);
    await mine.files.put("a", { path: "p", role: "other" });
    await mine.models.delete("a");
    const { items } = await registry.history.list();
    const origin = { address: "192.0.2.7", requestId: "r-1" };
    expect(items.map((event) => [event.actor, event.origin])).toEqual(items.map(() => ["ann", origin]));
    expect(items).toHaveLength(6);
    await expectInvalid("actor", mine.models.create(localModel("b"), { actor: "zoe" }));
    const open = registry.as({ identity: null, origin: { address: "::1" }, actor: "http" });
    await open.models.create(localModel("c"));
    expect((await registry.history.list({ modelId: "c" })).items[0]).toMatchObject({
      actor: "http",
      origin: { address: "::1", requestId: null },
    });
  });

  test("an id that is used again does not show what had it before", async ({ registry }) => {
    await fill(registry);
    const { mine: zoe } = await somebody(registry, "editor-zoe", [{ role: "admin" }]);
    await zoe.models.update("model-other-private", { notes: "secret" });
    await zoe.models.delete("model-other-private");
    await registry.models.create(localModel("model-other-private", { notes: "open" }));
    const { mine } = await somebody(registry, "ann", [{ role: "reader" }]);
    const { items } = await mine.history.list({ modelId: "model-other-private" });
    expect(items.map(({ kind, after }) => [kind, after?.["notes"]])).toEqual([["created", "open"]]);
    await registry.models.delete("model-other-private");
    const after = await mine.history.list({ modelId: "model-other-private" });
    expect(after.items.map(({ kind }) => kind)).toEqual(["deleted", "created"]);
    const secret = (await registry.history.list({ modelId: "model-other-private", kind: "updated" }))
      .items[0]!;
    expect(await mine.history.modelAt("model-other-private", secret.at)).toBeUndefined();
  });

  test("a past state is put back by those only who may administer all models", async ({ registry }) => {
    await fill(registry);
    const { mine } = await somebody(registry, "ann", [{ role: "editor" }, { role: "admin", pattern: "m*" }]);
    await expectRefusal("permission_denied", mine.revisions.apply([]));
    const { mine: root } = await somebody(registry, "root", [{ role: "admin" }]);
    expect(await root.revisions.apply([])).toEqual({ created: [], updated: [], deleted: [] });
  });

  test("the mark of the state is another for those who see something else", async ({ registry }) => {
    await fill(registry);
    const marks = new Set<string>();
    for (const [name, grant] of Object.entries({
      one: { role: "reader" } as const,
      two: { role: "reader", pattern: "a*" } as const,
      three: { role: "reader", pattern: "b*" } as const,
    })) {
      marks.add(await (await somebody(registry, name, [grant])).mine.stateMark());
    }
    const { mine } = await somebody(registry, "root", [{ role: "admin" }]);
    marks.add(await mine.stateMark());
    expect(marks.size).toBe(4);
    expect(await mine.stateMark()).toBe(await registry.stateMark());
  });

  test("users are kept with their grants, in order, and go with their tokens and without their models", async ({
    registry,
  }) => {
    const { users, tokens } = registry.access;
    expect(await registry.access.hasUsers()).toBe(false);
    const grants: NewGrant[] = [
      { role: "reader" },
      { role: "editor", pattern: "a/*" },
      { role: "admin", tag: "x" },
    ];
    const created = await users.create({ name: "ann", grants });
    expect(await registry.access.hasUsers()).toBe(true);
    expect(created.grants.map(({ role }) => role)).toEqual(["reader", "editor", "admin"]);
    expect(await users.list()).toEqual([created]);
    expect(await users.find("ann")).toEqual(created);
    await expectRefusal("name_taken", users.create({ name: "ann", grants }));
    await expectInvalid("grants", users.create({ name: "bob", grants: [] }));
    for (const name of ["", "a b", "-x", "ü", "x".repeat(65)])
      await expectInvalid("name", users.create({ name, grants }));
    expect(await users.update("ann", { grants: [{ role: "operator" }] })).toMatchObject({
      grants: [{ role: "operator", pattern: null, tag: null, owner: null }],
    });
    await expectRefusal("not_found", users.update("bob", { grants }));
    await tokens.create("ann");
    await registry.models.create(localModel("a", { owner: "ann", private: true }));
    await expectInvalid("give_models_to", users.delete("ann"));
    await expectRefusal("not_found", users.delete("ann", { giveModelsTo: "bob" }));
    await users.create({ name: "bob", grants });
    const { givenModels } = await users.delete("ann", { giveModelsTo: "bob" });
    expect(givenModels).toEqual(["a"]);
    expect(await registry.models.get("a")).toMatchObject({ owner: "bob", private: true });
    expect(await tokens.list()).toEqual([]);
    expect((await registry.history.list({ modelId: "a" })).items[0]).toMatchObject({
      after: { owner: "bob" },
    });
  });
});
