import { query, type ParameterValue, type Query, type Session } from "../database/query.ts";
import type { Access } from "../domain/access.ts";
import { shown } from "../domain/input.ts";
import { nearest } from "../domain/nearest.ts";
import { RegistryError } from "../errors.ts";
import { visibilityOf, type Visibility } from "./visibility.ts";

type NameRange = Record<string, ParameterValue> & { low: string; high: string; limit: number };

function namesFrom(visibility: Visibility | undefined): Query<NameRange, { name: string; model_id: string }> {
  return query(`names from${visibility?.key ?? ""}`, (context) => {
    const { db, p } = context;
    let names = db
      .selectFrom("model_name")
      .innerJoin("model", "model.seq", "model_name.model_seq")
      .select(["model_name.name", "model.model_id"])
      .where("model_name.name", ">=", p("low"))
      .where("model_name.name", "<", p("high"));
    if (visibility !== undefined) names = names.where(visibility.ofModel(context));
    return names.orderBy("model_name.name").limit(p("limit") as never);
  });
}

/** Names that begin with a text, of models that are seen, in their order. */
export async function namesWithPrefix(
  session: Session,
  prefix: string,
  limit: number,
  access: Access | undefined,
): Promise<{ name: string; modelId: string }[]> {
  // U+10FFFF is no character: every name with the prefix is below it.
  const range = { low: prefix, high: `${prefix}\u{10ffff}`, limit };
  const visibility = visibilityOf(access);
  const rows = await session.all(namesFrom(visibility), { ...visibility?.values, ...range });
  return rows.map((row) => ({ name: row.name, modelId: row.model_id }));
}

/** A `model_not_found` that names the nearest name of a model that is seen. */
export async function modelNotFound(
  session: Session,
  name: string,
  access: Access | undefined,
): Promise<RegistryError> {
  const [first = "", second = ""] = name;
  const candidates = await namesWithPrefix(session, first + second, 200, access);
  const near = nearest(
    name,
    candidates.map((candidate) => candidate.name),
  );
  const hint = near === undefined ? "" : ` Did you mean ${shown(near)}?`;
  return new RegistryError("model_not_found", `There is no model ${shown(name)}.${hint}`);
}
