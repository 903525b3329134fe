import { query, type Query, type WriteSession } from "../database/query.ts";
import { parseGrants, parseUserName, type Grant, type NewGrant, type User } from "../domain/access.ts";
import { checkKeys, shown } from "../domain/input.ts";
import { invalidInput, RegistryError } from "../errors.ts";
import type { GrantTable, UserTable } from "../schema/access.ts";
import { countAccessChange } from "./access-revision.ts";
import { parseChangeOptions } from "./change-options.ts";
import { readForChange } from "./model-row.ts";
import { changeModel } from "./models.ts";
import type { Scope } from "./scope.ts";
import { findUser, getUser, toUser, userByName } from "./user-rows.ts";

const allUsers: Query<object, UserTable> = query("users", ({ db }) =>
  db.selectFrom("access_user").selectAll().orderBy("name"),
);
const allGrants: Query<object, GrantTable> = query("grants", ({ db }) =>
  db.selectFrom("access_grant").selectAll().orderBy("user_name").orderBy("number"),
);
const insertUser: Query<UserTable, unknown> = query("user insert", ({ db, p }) =>
  db.insertInto("access_user").values({ name: p("name"), created_at: p("created_at") }),
);
const deleteUser: Query<{ name: string }, unknown> = query("user delete", ({ db, p }) =>
  db.deleteFrom("access_user").where("name", "=", p("name")),
);
const insertGrant: Query<GrantTable, unknown> = query("grant insert", ({ db, p }) =>
  db.insertInto("access_grant").values({
    user_name: p("user_name"),
    number: p("number"),
    role: p("role"),
    pattern: p("pattern"),
    tag: p("tag"),
    owner: p("owner"),
  }),
);
const deleteGrants: Query<{ user_name: string }, unknown> = query("grants delete", ({ db, p }) =>
  db.deleteFrom("access_grant").where("user_name", "=", p("user_name")),
);
const modelsOfOwner: Query<{ owner: string }, { model_id: string }> = query("models of owner", ({ db, p }) =>
  db.selectFrom("model").select("model_id").where("owner", "=", p("owner")).orderBy("seq"),
);

/** Those who may use the registry through a service, and what they may do. */
export class Users {
  readonly #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /**
   * Adds a user.
   *
   * @param user.grants one or more.
   * @throws RegistryError `name_taken`, `invalid_input`.
   * @example
   * ```ts
   * await registry.access.users.create({
   *   name: "ann",
   *   grants: [{ role: "reader" }, { role: "editor", pattern: "team-a/*" }],
   * });
   * ```
   */
  async create(user: { name: string; grants: readonly NewGrant[] }): Promise<User> {
    checkKeys("a user", user, new Set(["name", "grants"]));
    const name = parseUserName("name", user.name);
    const grants = parseGrants(user.grants);
    const createdAt = Date.now();
    return this.#scope.write(async (session) => {
      if ((await session.get(userByName, { name })) !== undefined) {
        throw new RegistryError("name_taken", `There is a user ${shown(name)} already.`);
      }
      await session.run(insertUser, { name, created_at: createdAt });
      await writeGrants(session, name, grants);
      await countAccessChange(session);
      return { name, grants, createdAt };
    });
  }

  /** All users, by name. */
  async list(): Promise<User[]> {
    const { reader } = this.#scope;
    const grants = Map.groupBy(await reader.all(allGrants, {}), ({ user_name }) => user_name);
    return (await reader.all(allUsers, {})).map((row) => toUser(row, grants.get(row.name) ?? []));
  }

  /** The user of a name, or `undefined`. */
  async find(name: string): Promise<User | undefined> {
    return findUser(this.#scope.reader, parseUserName("name", name));
  }

  /**
   * Grants a user something else, in the place of all that was granted before.
   *
   * @throws RegistryError `not_found`, `invalid_input`.
   */
  async update(name: string, update: { grants: readonly NewGrant[] }): Promise<User> {
    checkKeys("an update of a user", update, new Set(["grants"]));
    const wanted = parseUserName("name", name);
    const grants = parseGrants(update.grants);
    return this.#scope.write(async (session) => {
      const user = await getUser(session, wanted);
      await session.run(deleteGrants, { user_name: wanted });
      await writeGrants(session, wanted, grants);
      await countAccessChange(session);
      return { ...user, grants };
    });
  }

  /**
   * Removes a user, with the user's tokens.
   *
   * @param options.giveModelsTo the user who owns this one's models from then on.
   * @param options.actor who gives them, for the history.
   * @returns the user as it was, and the ids of the models that have another owner now.
   * @throws RegistryError `not_found`, `invalid_input` where the user owns models and nobody is named.
   */
  async delete(
    name: string,
    options: { giveModelsTo?: string | undefined; actor?: string | undefined } = {},
  ): Promise<{ user: User; givenModels: string[] }> {
    checkKeys("delete options", options, new Set(["giveModelsTo", "actor"]));
    const { giveModelsTo, ...rest } = options;
    const wanted = parseUserName("name", name);
    const owner = giveModelsTo === undefined ? undefined : parseUserName("give_models_to", giveModelsTo);
    const change = parseChangeOptions(rest, this.#scope);
    return this.#scope.write(
      async (session) => {
        const user = await getUser(session, wanted);
        if (owner === wanted) {
          throw invalidInput("give_models_to", `${shown(owner)} goes, and cannot own models after that.`);
        }
        if (owner !== undefined) await getUser(session, owner);
        const owned = await session.all(modelsOfOwner, { owner: wanted });
        if (owned.length > 0 && owner === undefined) throw ownsModels(wanted, owned.length);
        const givenModels: string[] = [];
        for (const { model_id: modelId } of owned) {
          const stored = await readForChange(session, modelId, "admin", change, this.#scope.now());
          await changeModel(session, stored, { ...stored.model, owner: owner! }, change);
          givenModels.push(modelId);
        }
        await session.run(deleteUser, { name: wanted });
        await countAccessChange(session);
        return { user, givenModels };
      },
      { alone: true },
    );
  }
}

async function writeGrants(session: WriteSession, name: string, grants: readonly Grant[]): Promise<void> {
  for (const [index, grant] of grants.entries()) {
    await session.run(insertGrant, { user_name: name, number: index + 1, ...grant });
  }
}

function ownsModels(name: string, count: number): RegistryError {
  const models = count === 1 ? "a model" : `${count} models`;
  return invalidInput(
    "give_models_to",
    `${shown(name)} owns ${models}. Say who is to own them: \`cortex user rm ${name} --give-models-to <user>\`.`,
  );
}
