import {
  query,
  type Awaitable,
  type ParameterValue,
  type Query,
  type Session,
  type WriteSession,
} from "../database/query.ts";
import { MODEL_FIELDS, type ModelField } from "../domain/fields.ts";
import {
  checkKeys,
  MAX_NAME_LENGTH,
  parseInteger,
  parseList,
  parseName,
  parsePrefix,
  parseTags,
  parseWord,
  shown,
} from "../domain/input.ts";
import { type ListOptions, type Page } from "../domain/list-options.ts";
import { MODEL_STATUS, type Model, type ModelUpdate, type NewModel } from "../domain/model.ts";
import { applyUpdate, parseModelUpdate, parseNewModel, type ModelDraft } from "../domain/parse-model.ts";
import { RECORD, type Projection } from "../domain/projection.ts";
import { toHistoryRecord } from "../domain/record.ts";
import { shortAliases } from "../domain/short-aliases.ts";
import { invalidInput, RegistryError } from "../errors.ts";
import { toModel, toModelValues, type ModelValues } from "../schema/model.ts";
import { parseChangeOptions, type Change } from "./change-options.ts";
import { insertFile, readFiles } from "./file-rows.ts";
import { withKnownSources } from "./known-sources.ts";
import { momentOf } from "./lease-holds.ts";
import { modelNotFound, namesWithPrefix } from "./model-names.ts";
import { MAX_PAGE, readPage } from "./model-page.ts";
import { byId, byName, ModelReader } from "./model-reader.ts";
import {
  differenceOf,
  kindOf,
  readForChange,
  writeEvent,
  writeVersion,
  type StoredModel,
} from "./model-row.ts";
import { textByName, textColumns, textOf } from "./record-text.ts";
import type { ChangeOptions, Scope } from "./scope.ts";
import { unfinishedOfModel } from "./unfinished-of-model.ts";
import { userByName } from "./user-rows.ts";
import { visibilityOf, type Visibility } from "./visibility.ts";

/** Whose a name is. */
export const modelOf: Query<{ name: string }, { model_id: string }> = query("model of name", ({ db, p }) =>
  db
    .selectFrom("model_name")
    .innerJoin("model", "model.seq", "model_name.model_seq")
    .select("model.model_id")
    .where("model_name.name", "=", p("name")),
);
const insertRow: Query<ModelValues, unknown> = query("model insert", ({ db, p }) =>
  db
    .insertInto("model")
    .values(Object.fromEntries(MODEL_FIELDS.map(({ name }) => [name, p(name)])) as never)
    .onConflict((conflict) => conflict.doNothing()),
);
const insertName: Query<{ name: string; seq: number }, unknown> = query("name insert", ({ db, p }) =>
  db
    .insertInto("model_name")
    .values({ name: p("name"), model_seq: p("seq") })
    .onConflict((conflict) => conflict.doNothing()),
);
export const deleteName: Query<{ name: string; seq: number }, unknown> = query("name delete", ({ db, p }) =>
  db.deleteFrom("model_name").where("name", "=", p("name")).where("model_seq", "=", p("seq")),
);
const insertTag: Query<{ tag: string; seq: number }, unknown> = query("tag insert", ({ db, p }) =>
  db.insertInto("model_tag").values({ model_seq: p("seq"), tag: p("tag") }),
);
const deleteTag: Query<{ tag: string; seq: number }, unknown> = query("tag delete", ({ db, p }) =>
  db.deleteFrom("model_tag").where("model_seq", "=", p("seq")).where("tag", "=", p("tag")),
);
export const insertSearch: Query<{ first: number; last: number }, unknown> = query(
  "search insert",
  ({ db, p }) =>
    db
      .insertInto("model_search")
      .columns(["rowid", "text"])
      .expression(
        db
          .selectFrom("model_search_text")
          .select(["seq", "text"])
          .where("seq", ">=", p("first"))
          .where("seq", "<=", p("last")),
      ),
);
const deleteSearch: Query<{ seq: number }, unknown> = query("search delete", ({ db, p }) =>
  db.deleteFrom("model_search").where("rowid", "=", p("seq")),
);
const settleSearch: Query<object, unknown> = query("search settle", ({ db, dialect }) =>
  dialect.settleSearch(db),
);
const deleteRow: Query<{ seq: number }, unknown> = query("model delete", ({ db, p }) =>
  db.deleteFrom("model").where("seq", "=", p("seq")),
);

function tagCounts(
  visibility: Visibility | undefined,
): Query<Record<string, ParameterValue>, { tag: string; count: number }> {
  return query(`tag counts${visibility?.key ?? ""}`, (context) => {
    const { db, p } = context;
    const counts = db
      .selectFrom("model_tag")
      .innerJoin("model", "model.seq", "model_tag.model_seq")
      .select((eb) => ["model_tag.tag", eb.fn.countAll<number>().as("count")])
      .where("model_tag.tag", ">", p("after") as never);
    const seen = visibility === undefined ? counts : counts.where(visibility.ofModel(context));
    return seen
      .groupBy("model_tag.tag")
      .orderBy("model_tag.tag")
      .limit(p("limit") as never);
  });
}

const SEARCHED: ReadonlySet<string> = new Set<ModelField>([
  "alias",
  "aliases",
  "author_repo",
  "notes",
  "tags",
]);
const CREATE_KEYS: ReadonlySet<string> = new Set(["actor"]);
const CREATE_MANY_KEYS: ReadonlySet<string> = new Set(["actor", "onExisting"]);
const TAGS_KEYS: ReadonlySet<string> = new Set(["limit", "cursor"]);
const NAMES_KEYS: ReadonlySet<string> = new Set(["prefix", "limit"]);
const MAX_NAMES = 1000;
const LIST_CHANGE_KEYS: ReadonlySet<string> = new Set(["add", "remove"]);
// How many new models are indexed at a time, and how many make it worth while to settle the index.
const SEARCH_BATCH = 10_000;
// Room for the number behind an automatic alias.
const NUMBER_LENGTH = 12;

/** A model as JSON text, and what tells one state of it from another. */
export interface ModelJson extends Pick<Model, "rowVersion" | "rowChecksum" | "updatedAt" | "status"> {
  readonly json: string;
}

/** What to add to a list and what to take out of it. */
export interface ListChange {
  add?: readonly string[] | undefined;
  remove?: readonly string[] | undefined;
}

/** The models of a registry, to read and to change. */
export class Models extends ModelReader {
  readonly #scope: Scope;

  constructor(scope: Scope) {
    super(scope);
    this.#scope = scope;
  }

  /**
   * Registers a model. Where no alias is given it gets a short one of its own, made from the id.
   *
   * @returns the model as it is stored.
   * @throws RegistryError `name_taken` when the id or an alias already means a model, `invalid_input`.
   * @example
   * ```ts
   * const model = await registry.models.create({
   *   modelId: "huggingface.co/TheBloke/Tiny-GGUF/tiny.Q4_K_M.gguf",
   *   sourceType: "huggingface",
   * });
   * model.alias; // "tiny.q4_k_m"
   * ```
   */
  async create(model: NewModel, options: { actor?: string | undefined } = {}): Promise<Model> {
    const draft = parseNewModel(model, Date.now(), this.#scope.access?.user ?? null);
    checkKeys("create options", options, CREATE_KEYS);
    const change = parseChangeOptions(options, this.#scope);
    return this.#scope.write(async (session) => {
      const created = await insertModel(session, await checkNew(session, draft, change), change, "fail");
      await session.run(insertSearch, { first: created!.seq, last: created!.seq });
      return created!.model;
    });
  }

  /**
   * Registers many models in one transaction: all of them or, if one is refused, none.
   *
   * @param models any iterable, also an asynchronous one; only one model at a time is held in memory.
   * @param options `onExisting: "skip"` passes over models whose id is registered already.
   * @returns how many were created and how many were passed over.
   * @throws RegistryError `name_taken`, `invalid_input`.
   */
  async createMany(
    models: Iterable<NewModel> | AsyncIterable<NewModel>,
    options: { actor?: string | undefined; onExisting?: "fail" | "skip" | undefined } = {},
  ): Promise<{ created: number; skipped: number }> {
    checkKeys("createMany options", options, CREATE_MANY_KEYS);
    const { onExisting = "fail", ...rest } = options;
    parseWord("onExisting", onExisting, ["fail", "skip"]);
    if (
      typeof models !== "object" ||
      models === null ||
      !(Symbol.iterator in models || Symbol.asyncIterator in models)
    ) {
      throw invalidInput("models", `createMany takes a list of models, not ${shown(models)}.`);
    }
    const change = parseChangeOptions(rest, this.#scope);
    return this.#scope.write(
      async (session) => {
        const counts = { created: 0, skipped: 0 };
        const now = Date.now();
        // The rows of one call follow each other. Many at once are indexed in a fraction of the time.
        let indexed: number | undefined;
        let last = 0;
        for await (const model of models) {
          const draft = parseNewModel(model, now, change.access?.user ?? null);
          const checked = await checkNew(session, draft, change);
          const created = await insertModel(session, checked, change, onExisting);
          counts[created === undefined ? "skipped" : "created"]++;
          if (created === undefined) continue;
          last = created.seq;
          indexed ??= last - 1;
          if (last - indexed < SEARCH_BATCH) continue;
          await session.run(insertSearch, { first: indexed + 1, last });
          indexed = last;
        }
        if (indexed !== undefined && last > indexed)
          await session.run(insertSearch, { first: indexed + 1, last });
        if (counts.created >= SEARCH_BATCH && counts.created * 10 >= last)
          await session.run(settleSearch, {});
        return counts;
      },
      { alone: true },
    );
  }

  /**
   * The model that an id or an alias means, as its JSON text, with what tells one state of it from another.
   *
   * @param projection what the text says; the whole record when left out.
   * @throws RegistryError as {@link resolve}, `database_damaged`.
   * @example
   * ```ts
   * const { json } = await registry.models.resolveJson("a");
   * json.startsWith('{"model_id":"a",'); // true
   * ```
   */
  async resolveJson(name: string, projection: Projection = RECORD): Promise<ModelJson> {
    const visibility = visibilityOf(this.#scope.access);
    const values = {
      ...visibility?.values,
      name: parseName("name", name),
      ...momentOf(this.#scope.now()),
    };
    const read = this.#scope.reader.get(textByName(projection, visibility), values);
    const row = read instanceof Promise ? await read : read;
    if (row === undefined) throw await modelNotFound(this.#scope.reader, name, this.#scope.access);
    return {
      rowVersion: row.row_version,
      rowChecksum: row.row_checksum,
      updatedAt: row.updated_at,
      status: row.status,
      json: textOf(row),
    };
  }

  /**
   * The ids and aliases that begin with a text, in their order, for completion.
   *
   * @param options.limit 1 to 1,000; 100 when left out.
   */
  async names(options: {
    prefix: string;
    limit?: number | undefined;
  }): Promise<{ name: string; modelId: string }[]> {
    checkKeys("names options", options, NAMES_KEYS);
    const { prefix, limit = 100 } = options;
    return namesWithPrefix(
      this.#scope.reader,
      parsePrefix(prefix),
      parseInteger("limit", limit, 1, MAX_NAMES),
      this.#scope.access,
    );
  }

  /**
   * A page of the tags, in their order, each with how many models have it.
   *
   * @param options.limit 1 to 1,000; 50 when left out.
   * @param options.cursor `nextCursor` of the page before.
   */
  async tags(
    options: { limit?: number | undefined; cursor?: string | null | undefined } = {},
  ): Promise<Page<{ tag: string; count: number }>> {
    checkKeys("tags options", options, TAGS_KEYS);
    const { limit = 50, cursor } = options;
    const count = parseInteger("limit", limit, 1, MAX_PAGE);
    const after = cursor == null ? "" : parsePrefix(cursor);
    const visibility = visibilityOf(this.#scope.access);
    const values = { ...visibility?.values, after, limit: count + 1 };
    const rows = await this.#scope.reader.all(tagCounts(visibility), values);
    const items = rows.slice(0, count);
    return { items, nextCursor: rows.length > count ? items.at(-1)!.tag : null };
  }

  /**
   * The same page as {@link list} gives, as the JSON texts of its models: in a fraction of the time that it
   * takes to decode models and write them again.
   *
   * @param projection what the texts say; the whole record when left out.
   * @throws RegistryError as {@link list}, `database_damaged`.
   */
  async listJson(options: ListOptions = {}, projection: Projection = RECORD): Promise<Page<string>> {
    return readPage(this.#scope, options, (order) => textColumns(projection, order), textOf);
  }

  /**
   * Changes the fields that are named, and no others. Without a difference nothing is written.
   *
   * @returns the model after the change.
   * @throws RegistryError `model_not_found`, `permission_denied`, `name_taken`, `row_version_mismatch`,
   *   `lease_lost`, `invalid_input`.
   */
  async update(name: string, update: ModelUpdate, options?: ChangeOptions): Promise<Model> {
    const parsed = parseModelUpdate(update);
    return this.#change(name, options, (model, session) => {
      const changed = applyUpdate(model, parsed);
      return changed.owner === model.owner ? changed : checkOwner(session, changed).then(() => changed);
    });
  }

  /**
   * Adds further aliases and takes some away, among them the primary one.
   *
   * @throws RegistryError `not_found` for an alias to remove that is none of the model's, and as `update`.
   */
  async changeAliases(name: string, change: ListChange, options?: ChangeOptions): Promise<Model> {
    const { add, remove } = parseListChange("aliases", change, (field, list) =>
      parseList(field, list, (alias) => parseName("alias", alias)),
    );
    return this.#change(name, options, (model) => {
      const foreign = remove.find((alias) => alias !== model.alias && !model.aliases.includes(alias));
      if (foreign !== undefined) {
        throw new RegistryError("not_found", `${shown(foreign)} is no alias of ${shown(model.modelId)}.`);
      }
      const alias = model.alias !== null && remove.includes(model.alias) ? null : model.alias;
      const aliases = [...model.aliases.filter((known) => !remove.includes(known)), ...add];
      return applyUpdate({ ...model, alias }, { aliases });
    });
  }

  /**
   * Points an alias at a model in one step, whichever model it meant before; a new alias is added.
   *
   * @returns the model that the alias means now.
   * @throws RegistryError `name_taken` when it is another model's id, and as `update`.
   */
  async repointAlias(alias: string, toName: string, options?: ChangeOptions): Promise<Model> {
    const parsed = parseName("alias", alias);
    const name = parseName("name", toName);
    const change = parseChangeOptions(options, this.#scope);
    return this.#scope.write(async (session) => {
      const target = await readForChange(session, name, "change", change, this.#scope.now());
      const owner = await session.get(modelOf, { name: parsed });
      if (owner !== undefined && owner.model_id !== target.model.modelId && owner.model_id !== parsed) {
        await this.#checkSeen(session, parsed);
        const { actor, origin, access } = change;
        const giving = { actor, origin, access };
        const from = await readForChange(session, parsed, "change", giving, this.#scope.now());
        await changeModel(session, from, withoutAlias(from.model, parsed), change);
      }
      if (target.model.alias === parsed) return target.model;
      return changeModel(
        session,
        target,
        applyUpdate(target.model, { aliases: [...target.model.aliases, parsed] }),
        change,
      );
    });
  }

  /**
   * Adds tags and takes some away; what is there already, or not there, is no error.
   *
   * @throws RegistryError as `update`.
   */
  async changeTags(name: string, change: ListChange, options?: ChangeOptions): Promise<Model> {
    const { add, remove } = parseListChange("tags", change, parseTags);
    return this.#change(name, options, (model) => {
      return applyUpdate(model, { tags: [...model.tags, ...add].filter((tag) => !remove.includes(tag)) });
    });
  }

  /**
   * Takes a model out of the registry; its files are not touched and its history stays.
   *
   * @returns the model as it was.
   * @throws RegistryError `model_running`, `model_not_found`, `row_version_mismatch`, `lease_lost`.
   */
  async delete(name: string, options?: ChangeOptions): Promise<Model> {
    const wanted = parseName("name", name);
    const change = parseChangeOptions(options, this.#scope);
    return this.#scope.write(
      async (session) => {
        const stored = await readForChange(session, wanted, "change", change, this.#scope.now());
        await deleteModel(session, stored, change);
        return stored.model;
      },
      { makesRoom: true },
    );
  }

  #change(
    name: string,
    options: ChangeOptions | undefined,
    edit: (model: Model, session: WriteSession) => Awaitable<Model>,
  ): Promise<Model> {
    const wanted = parseName("name", name);
    const change = parseChangeOptions(options, this.#scope);
    return this.#scope.write(async (session) => {
      const stored = await readForChange(session, wanted, "change", change, this.#scope.now());
      const edited = edit(stored.model, session);
      const changed = edited instanceof Promise ? await edited : edited;
      change.access?.checkChange(stored.model, changed);
      return changeModel(session, stored, changed, change);
    });
  }

  // An alias of a model that is not seen is taken, and cannot be taken from it.
  async #checkSeen(session: WriteSession, name: string): Promise<void> {
    const { access } = this.#scope;
    if (access === undefined) return;
    const row = await session.get(byName, { name });
    if (row !== undefined && !access.sees(toModel(row))) throw nameTaken(name, undefined);
  }
}

/** @returns it with what may be recorded of its files. */
async function checkNew(session: WriteSession, draft: ModelDraft, { access }: Change): Promise<ModelDraft> {
  const { model } = draft;
  access?.checkNew(model);
  if (access !== undefined) await checkNotFetched(session, model);
  if (model.owner !== null && model.owner !== access?.user) await checkOwner(session, model);
  return { ...draft, files: await withKnownSources(session, draft.files, access) };
}

// Whose the model is that a transfer makes was decided when it was asked for: who registers another of that name would
// see the transfer, which may be private, and have their model replaced by what it fetches.
async function checkNotFetched(session: WriteSession, { modelId }: Model): Promise<void> {
  if ((await session.get(unfinishedOfModel, { model_id: modelId })) === undefined) return;
  if ((await session.get(byId, { model_id: modelId })) === undefined) throw nameTaken(modelId, undefined);
}

// A slip in the name of a private model's owner would hide it from everybody.
async function checkOwner(session: WriteSession, { owner }: Model): Promise<void> {
  if (owner === null || (await session.get(userByName, { name: owner })) !== undefined) return;
  throw invalidInput(
    "owner",
    `There is no user ${shown(owner)} to own the model. \`cortex user add ${owner} --role reader\` makes one.`,
  );
}

/** Stores a model with its names, tags, files and history; its search text is the caller's. */
export async function insertModel(
  session: WriteSession,
  draft: ModelDraft,
  change: Change,
  onExisting: "fail" | "skip",
): Promise<StoredModel | undefined> {
  const { files } = draft;
  const alias = draft.wantsAlias ? await freeAlias(session, draft.model) : draft.model.alias;
  const model = { ...draft.model, alias };
  const values = toModelValues(model);
  const seq = await session.insert(insertRow, values);
  if (seq === undefined) {
    if (onExisting === "skip") return undefined;
    throw await whoseName(session, model.modelId, change);
  }
  await claimNames(session, seq, namesOf(model), change);
  for (const tag of model.tags) await session.run(insertTag, { seq, tag });
  for (const file of files) await insertFile(session, model.modelId, file);
  const stored = { ...model, rowChecksum: values.row_checksum };
  await writeEvent(session, {
    modelId: model.modelId,
    kind: "created",
    actor: change.actor,
    origin: change.origin,
    at: Date.now(),
    rowVersion: 1,
    before: null,
    after: toHistoryRecord(stored, files),
  });
  return { seq, model: stored };
}

/** Writes a changed model with all that follows from it: names, tags, search, history. */
export async function changeModel(
  session: WriteSession,
  { seq, model: before }: StoredModel,
  changed: Model,
  change: Change,
): Promise<Model> {
  const difference = differenceOf(before, changed);
  if (difference === undefined) return before;
  const changedFields = Object.keys(difference.after);
  const { model } = await writeVersion(session, seq, changed, kindOf(changedFields), difference, change);
  if (changedFields.includes("alias") || changedFields.includes("aliases")) {
    const [old, now] = [namesOf(before), namesOf(model)];
    for (const name of without(old, now)) await session.run(deleteName, { seq, name });
    await claimNames(session, seq, without(now, old), change);
  }
  if (changedFields.includes("tags")) {
    for (const tag of without(before.tags, new Set(model.tags))) await session.run(deleteTag, { seq, tag });
    for (const tag of without(model.tags, new Set(before.tags))) await session.run(insertTag, { seq, tag });
  }
  if (changedFields.some((name) => SEARCHED.has(name))) {
    await session.run(deleteSearch, { seq });
    await session.run(insertSearch, { first: seq, last: seq });
  }
  return model;
}

/** Takes a model out, with its files, and tells the history. @throws RegistryError `model_running` */
export async function deleteModel(
  session: WriteSession,
  { seq, model }: StoredModel,
  { actor, origin }: Change,
): Promise<void> {
  if (model.status === MODEL_STATUS.RUNNING) {
    throw new RegistryError("model_running", `${shown(model.modelId)} is running. Stop it first.`);
  }
  const files = await readFiles(session, model.modelId);
  await session.run(deleteSearch, { seq });
  await session.run(deleteRow, { seq });
  await writeEvent(session, {
    modelId: model.modelId,
    kind: "deleted",
    actor,
    origin,
    at: Date.now(),
    rowVersion: model.rowVersion,
    before: toHistoryRecord(model, files),
    after: null,
  });
}

// One namespace: the database refuses a name that means another model already.
async function claimNames(
  session: Session,
  seq: number,
  names: Iterable<string>,
  change: Change,
): Promise<void> {
  for (const name of names) {
    if ((await session.run(insertName, { seq, name })) === 1) continue;
    throw await whoseName(session, name, change);
  }
}

// Of a model that is not seen nothing is told but that the name is taken.
async function whoseName(session: Session, name: string, { access }: Change): Promise<RegistryError> {
  const row = (await session.get(byName, { name }))!;
  return nameTaken(name, access?.sees(toModel(row)) === false ? undefined : row.model_id);
}

/** Every name that means a model: its id and its aliases. */
export function namesOf({ modelId, alias, aliases }: Model): Set<string> {
  return new Set(alias === null ? [modelId, ...aliases] : [modelId, alias, ...aliases]);
}

function without(items: Iterable<string>, others: ReadonlySet<string>): string[] {
  return [...items].filter((item) => !others.has(item));
}

function withoutAlias(model: Model, alias: string): Model {
  return {
    ...model,
    alias: model.alias === alias ? null : model.alias,
    aliases: model.aliases.filter((known) => known !== alias),
  };
}

/** What is said of a name that another model has; nothing of one that is not seen. */
export function nameTaken(name: string, modelId: string | undefined): RegistryError {
  if (modelId === undefined) {
    return new RegistryError("name_taken", `${shown(name)} is taken. Choose another name.`);
  }
  const message =
    name === modelId
      ? `There is a model ${shown(modelId)} already. Choose another name, or update that one.`
      : `${shown(name)} already means the model ${shown(modelId)}. Choose another name.`;
  return new RegistryError("name_taken", message);
}

async function freeAlias(session: Session, { modelId, aliases }: Model): Promise<string | null> {
  const isFree = async (name: string): Promise<boolean> =>
    !aliases.includes(name) && (name === modelId || (await session.get(modelOf, { name })) === undefined);
  const candidates = shortAliases(modelId).filter(
    (name) => name.trim() === name && name.length <= MAX_NAME_LENGTH - NUMBER_LENGTH,
  );
  for (const name of candidates) if (await isFree(name)) return name;
  const last = candidates.at(-1);
  if (last === undefined) return null;
  // Numbers fill up from 1, so the first free one is behind a power of two and found by halving.
  let free = 1;
  while (!(await isFree(`${last}-${free}`))) free *= 2;
  let taken = Math.floor(free / 2);
  while (free - taken > 1) {
    const middle = Math.floor((taken + free) / 2);
    if (await isFree(`${last}-${middle}`)) free = middle;
    else taken = middle;
  }
  return `${last}-${free}`;
}

function parseListChange(
  field: string,
  change: ListChange,
  parse: (field: string, list: unknown) => string[],
): { add: string[]; remove: string[] } {
  checkKeys(`a change of ${field}`, change, LIST_CHANGE_KEYS);
  const add = change.add === undefined ? [] : parse(field, change.add);
  const remove = change.remove === undefined ? [] : parse(field, change.remove);
  const both = add.find((item) => remove.includes(item));
  if (both !== undefined) throw invalidInput(field, `${shown(both)} is both to be added and to be removed.`);
  return { add, remove };
}
