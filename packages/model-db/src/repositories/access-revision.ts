import { query, type Query, type Session, type WriteSession } from "../database/query.ts";

const readRevision: Query<object, { revision: number }> = query("access revision", ({ db }) =>
  db.selectFrom("access_revision").select("revision"),
);
const raiseRevision: Query<object, unknown> = query("access revision raise", ({ db, sql }) =>
  db.updateTable("access_revision").set({ revision: sql<number>`revision + 1` }),
);

/** A number that grows with each change of who may do what. */
export async function accessRevision(session: Session): Promise<number | undefined> {
  return (await session.get(readRevision, {}))?.revision;
}

/** Counts a change of who may do what, so that every process that remembers it looks again. */
export async function countAccessChange(session: WriteSession): Promise<void> {
  await session.run(raiseRevision, {});
}
