import { query, type Query, type Session } from "../database/query.ts";
import type { User } from "../domain/access.ts";
import { shown } from "../domain/input.ts";
import { RegistryError } from "../errors.ts";
import { toGrant, type GrantTable, type UserTable } from "../schema/access.ts";

export const userByName: Query<{ name: string }, UserTable> = query("user by name", ({ db, p }) =>
  db.selectFrom("access_user").selectAll().where("name", "=", p("name")),
);
export const grantsOfUser: Query<{ user_name: string }, GrantTable> = query("grants of user", ({ db, p }) =>
  db.selectFrom("access_grant").selectAll().where("user_name", "=", p("user_name")).orderBy("number"),
);

/** The user of a name. @throws RegistryError `not_found`. */
export async function getUser(session: Session, name: string): Promise<User> {
  const user = await findUser(session, name);
  if (user !== undefined) return user;
  throw new RegistryError("not_found", `There is no user ${shown(name)}. \`cortex user list\` names them.`);
}

/** The user of a name, or `undefined`. */
export async function findUser(session: Session, name: string): Promise<User | undefined> {
  const row = await session.get(userByName, { name });
  return row && toUser(row, await session.all(grantsOfUser, { user_name: name }));
}

/** The user of a row, with what is granted. */
export function toUser(row: UserTable, grants: readonly GrantTable[]): User {
  return { name: row.name, grants: grants.map(toGrant), createdAt: row.created_at };
}
