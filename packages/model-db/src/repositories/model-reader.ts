import { query, type Awaitable, type Query } from "../database/query.ts";
import { parseList, parseName, shown } from "../domain/input.ts";
import {
  checkSelection,
  parseSelection,
  type ListOptions,
  type ModelSelection,
  type Page,
} from "../domain/list-options.ts";
import { MODEL_STATUS, type Model, type ModelSummary } from "../domain/model.ts";
import { RegistryError } from "../errors.ts";
import { toModel, toSummary, type ModelRow } from "../schema/model.ts";
import { everyItem } from "./every-item.ts";
import { momentOf, type Moment } from "./lease-holds.ts";
import { modelColumns } from "./model-columns.ts";
import { countQuery, isIndexBehind, wholeModel } from "./model-list.ts";
import { modelNotFound } from "./model-names.ts";
import { MAX_PAGE, readPage } from "./model-page.ts";
import { summaryColumns } from "./model-summary.ts";
import type { ReadScope } from "./scope.ts";
import { visibilityOf } from "./visibility.ts";

export const byId: Query<{ model_id: string }, ModelRow> = query("model by id", ({ db, p }) =>
  db.selectFrom("model").selectAll().where("model_id", "=", p("model_id")),
);
export const byName: Query<{ name: string }, ModelRow> = query("model by name", ({ db, p }) =>
  db
    .selectFrom("model_name")
    .innerJoin("model", "model.seq", "model_name.model_seq")
    .selectAll("model")
    .where("model_name.name", "=", p("name")),
);
const bySeq: Query<Moment & { seq: number }, ModelRow> = query("model by seq", (context) =>
  context.db.selectFrom("model").select(modelColumns(context)).where("model.seq", "=", context.p("seq")),
);

// The place of a name costs less to hand over than the name.
const byNames: Query<{ names: string }, ModelRow & { place: number }> = query(
  "models by names",
  ({ db, sql, p, dialect }) =>
    db
      .selectFrom(dialect.texts(p("names")).as("wanted"))
      .innerJoin("model_name", "model_name.name", "wanted.value")
      .innerJoin("model", "model.seq", "model_name.model_seq")
      .selectAll("model")
      .select(sql<number>`wanted.key`.as("place")),
);

/** What can be read of a registry's models. Where a method takes a `name`, an id and an alias are equally good. */
export class ModelReader {
  readonly #scope: ReadScope;

  constructor(scope: ReadScope) {
    this.#scope = scope;
  }

  /** The model with an id, or `undefined`. */
  async find(modelId: string): Promise<Model | undefined> {
    return this.#read(byId, { model_id: parseName("model_id", modelId) });
  }

  /**
   * The model with an id.
   *
   * @throws RegistryError `model_not_found`, which names the model that an alias means.
   */
  async get(modelId: string): Promise<Model> {
    const read = this.#read(byId, { model_id: parseName("model_id", modelId) });
    const model = read instanceof Promise ? await read : read;
    if (model !== undefined) return model;
    const meant = await this.findByName(modelId);
    if (meant === undefined) throw await modelNotFound(this.#scope.reader, modelId, this.#scope.access);
    throw new RegistryError(
      "model_not_found",
      `No model has the id ${shown(modelId)}: it is an alias of ${shown(meant.modelId)}.`,
    );
  }

  /** The model that an id or an alias means, or `undefined`: one lookup. */
  async findByName(name: string): Promise<Model | undefined> {
    return this.#read(byName, { name: parseName("name", name) });
  }

  /**
   * The model that an id or an alias means: one lookup.
   *
   * @throws RegistryError `model_not_found`, naming the nearest name there is.
   */
  async resolve(name: string): Promise<Model> {
    const read = this.#read(byName, { name: parseName("name", name) });
    const model = read instanceof Promise ? await read : read;
    if (model === undefined) throw await modelNotFound(this.#scope.reader, name, this.#scope.access);
    return model;
  }

  /**
   * The models that up to 1,000 ids or aliases mean, in one lookup.
   *
   * @returns by the name asked for; names that mean nothing are absent.
   */
  async resolveMany(names: readonly string[]): Promise<Map<string, Model>> {
    const wanted = parseList("names", names, (name) => parseName("name", name));
    const found = new Map<string, Model>();
    for (const row of await this.#scope.reader.all(byNames, { names: JSON.stringify(wanted) })) {
      const read = this.#found(row);
      const model = read instanceof Promise ? await read : read;
      if (model !== undefined) found.set(wanted[row.place]!, model);
    }
    return found;
  }

  /**
   * A page of the models that match, in an order.
   *
   * @throws RegistryError `invalid_input` for an unknown field, a value of the wrong kind, or a cursor
   *   of another list.
   * @example
   * ```ts
   * const page = await registry.models.list({
   *   filter: { source_type: "huggingface", size_bytes: { gt: 4_000_000_000 } },
   *   tags: { all: ["chat"], none: ["old"] },
   *   sort: { field: "size_bytes", direction: "desc" },
   *   limit: 20,
   * });
   * page.items.length; // at most 20
   * ```
   */
  async list(options: ListOptions = {}): Promise<Page<Model>> {
    return readPage(this.#scope, options, wholeModel, toModel);
  }

  /**
   * The same page as {@link list} gives, with what a table shows of its models: less to read and to decode.
   *
   * @throws RegistryError as {@link list}, `database_damaged`.
   */
  async summaries(options: ListOptions = {}): Promise<Page<ModelSummary>> {
    return readPage(this.#scope, options, summaryColumns, toSummary);
  }

  /**
   * Every model that matches, in an order, however many there are: read by pages, each when it is come
   * to, so what others change meanwhile shows. A model that stays comes once, unless a change moves it
   * in the order; by `model_id` nothing moves.
   *
   * @throws RegistryError as {@link list}.
   * @example
   * ```ts
   * for await (const model of registry.models.all({ sort: { field: "model_id" } })) {
   *   if (model.pinned) break;
   * }
   * ```
   */
  all(options: Omit<ListOptions, "limit" | "cursor" | "total"> = {}): AsyncGenerator<Model, undefined> {
    return everyItem((cursor) => this.list({ ...options, limit: MAX_PAGE, cursor }), null);
  }

  /** How many models match. */
  async count(selection: ModelSelection = {}): Promise<number> {
    checkSelection(selection);
    const parsed = parseSelection(selection);
    const behind = await isIndexBehind(this.#scope.reader, parsed);
    const visibility = visibilityOf(this.#scope.access);
    const count = countQuery({ selection: parsed, behind, visibility }, this.#scope.now());
    const row = await this.#scope.reader.get(count.query, count.values);
    return row!.count;
  }

  // What is there at once is not waited for: the hottest reads feel each promise on the way.
  #read<P extends object>(wanted: Query<P, ModelRow>, parameters: P): Awaitable<Model | undefined> {
    const row = this.#scope.reader.get(wanted, parameters);
    return row instanceof Promise ? row.then((found) => this.#found(found)) : this.#found(row);
  }

  // A stored READY is true; a stored RUNNING is true as long as there is a lease.
  #found(row: ModelRow | undefined): Awaitable<Model | undefined> {
    if (row?.status !== MODEL_STATUS.RUNNING) return row && this.#shown(toModel(row));
    return this.#current(row.seq);
  }

  async #current(seq: number): Promise<Model | undefined> {
    const row = await this.#scope.reader.get(bySeq, { seq, ...momentOf(this.#scope.now()) });
    return row && this.#shown(toModel(row));
  }

  #shown(model: Model): Model | undefined {
    return this.#scope.access?.sees(model) === false ? undefined : model;
  }
}
