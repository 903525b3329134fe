import { query, type ParameterValue, type Session } from "../database/query.ts";
import type { Access } from "../domain/access.ts";
import { EVENT_KINDS, type EventKind, type ModelEvent } from "../domain/event.ts";
import { checkKeys, parseInteger, parseList, parseName, parseTime, parseWord } from "../domain/input.ts";
import type { Page } from "../domain/list-options.ts";
import { MODEL_STATUS, type Model } from "../domain/model.ts";
import { foldEvent, toPastModel, type PastState } from "../domain/past-state.ts";
import { invalidInput } from "../errors.ts";
import { toModelEvent, type EventTable } from "../schema/event.ts";
import { modelChecksum, toModelValues } from "../schema/model.ts";
import { parseActor } from "./change-options.ts";
import { everyItem } from "./every-item.ts";
import { leasesHeldUntil, newestEvent } from "./model-row.ts";
import type { Scope } from "./scope.ts";
import { visibilityOf } from "./visibility.ts";

/** Which events; whatever is left out does not matter. */
export interface EventFilter {
  modelId?: string | undefined;
  actor?: string | undefined;
  kind?: EventKind | readonly EventKind[] | undefined;
  /** Unix milliseconds: at or after this time. */
  since?: number | undefined;
  /** Unix milliseconds: at or before this time. */
  until?: number | undefined;
}

export interface HistoryOptions extends EventFilter {
  /** `desc`, the newest first, when left out. */
  order?: "asc" | "desc" | undefined;
  /** 1 to 1,000; 50 when left out. */
  limit?: number | undefined;
  /** `nextCursor` of the page before. */
  cursor?: string | null | undefined;
}

type Values = Record<string, ParameterValue>;
const MAX_PAGE = 1000;
const FILTER_KEYS = ["modelId", "actor", "kind", "since", "until"];
const HISTORY_KEYS: ReadonlySet<string> = new Set([...FILTER_KEYS, "order", "limit", "cursor"]);

/** What happened to the models, also to those that are gone. */
export class History {
  readonly #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /**
   * A page of the history.
   *
   * @throws RegistryError `invalid_input`.
   */
  async list(options: HistoryOptions = {}): Promise<Page<ModelEvent>> {
    checkKeys("history options", options, HISTORY_KEYS);
    const { order = "desc", limit = 50, cursor } = options;
    const count = parseInteger("limit", limit, 1, MAX_PAGE);
    const descending = parseWord("order", order, ["asc", "desc"]) === "desc";
    const beyond = cursor == null ? undefined : parseEventCursor(cursor);
    const page = { descending, beyond, limit: count + 1 };
    const filter = parseEventFilter(options);
    const events = await readEvents(this.#scope.reader, filter, page, this.#scope.access);
    const last = events.length > count ? events[count - 1] : undefined;
    return { items: events.slice(0, count), nextCursor: last === undefined ? null : String(last.eventId) };
  }

  /**
   * Every event that matches, in an order, however many there are: read by pages, each when it is come to.
   *
   * @throws RegistryError as {@link list}.
   */
  all(options: Omit<HistoryOptions, "limit"> = {}): AsyncGenerator<ModelEvent, undefined> {
    const { cursor = null, ...rest } = options;
    return everyItem((next) => this.list({ ...rest, limit: MAX_PAGE, cursor: next }), cursor);
  }

  /**
   * What a model was at a time: the state after the last event of its history up to then.
   *
   * @param modelId the model's id, which may belong to a deleted model.
   * @param time Unix milliseconds.
   * @returns `undefined` when there was no such model at that time.
   */
  async modelAt(modelId: string, time: number): Promise<Model | undefined> {
    const filter = parseEventFilter({
      modelId: parseName("model_id", modelId),
      until: parseTime("time", time),
    });
    const [last] = await readEvents(this.#scope.reader, filter, {
      descending: true,
      beyond: undefined,
      limit: 1,
    });
    if (last === undefined || last.kind === "deleted" || !(await this.#isSeen(last))) return undefined;
    let state: PastState | undefined;
    for await (const event of this.#eventsUpTo(modelId, last.eventId)) state = foldEvent(state, event);
    // Without its beginning, as after a migration down and up again, it is not known what the model was.
    if (state === undefined) return undefined;
    let { model } = toPastModel(state);
    if (model.status === MODEL_STATUS.RUNNING && (await this.#leasesEnded(modelId, last.eventId)) <= time) {
      model = { ...model, status: MODEL_STATUS.READY };
    }
    return { ...model, rowChecksum: modelChecksum(toModelValues(model)) };
  }

  /** The id of the newest event; 0 when nothing has happened yet. */
  async latestEventId(): Promise<number> {
    const row = await this.#scope.reader.get(newestEvent, {});
    return row?.greatest ?? 0;
  }

  async #isSeen({ modelId, eventId }: ModelEvent): Promise<boolean> {
    const { reader, access } = this.#scope;
    if (visibilityOf(access) === undefined) return true;
    const page = { descending: false, beyond: eventId - 1, limit: 1 };
    const [seen] = await readEvents(reader, { modelId }, page, access);
    return seen?.eventId === eventId;
  }

  // When the leases that an event left behind ran out: any later change would have noticed it first.
  async #leasesEnded(modelId: string, eventId: number): Promise<number> {
    const { reader } = this.#scope;
    const [next] = await readEvents(reader, { modelId }, { descending: false, beyond: eventId, limit: 1 });
    if (next === undefined) return leasesHeldUntil(reader, modelId, this.#scope.now());
    return next.kind === "expired" ? (next.after!["expires_at"] as number) : Infinity;
  }

  async *#eventsUpTo(modelId: string, eventId: number): AsyncGenerator<ModelEvent> {
    let beyond = 0;
    while (beyond < eventId) {
      const page = await readEvents(
        this.#scope.reader,
        { modelId },
        { descending: false, beyond, limit: 500 },
      );
      for (const event of page) if (event.eventId <= eventId) yield event;
      beyond = page.at(-1)?.eventId ?? eventId;
    }
  }
}

/** An event filter, checked. */
export type CheckedFilter = {
  modelId?: string;
  actor?: string;
  kinds?: readonly EventKind[];
  since?: number;
  until?: number;
};

/** @throws RegistryError `invalid_input`. */
export function parseEventFilter({ modelId, actor, kind, since, until }: EventFilter): CheckedFilter {
  const kinds = kind === undefined ? undefined : parseKinds(typeof kind === "string" ? [kind] : kind);
  if (kinds?.length === 0) throw invalidInput("kind", "kind must name at least one kind of event.");
  return {
    ...(modelId === undefined ? {} : { modelId: parseName("model_id", modelId) }),
    ...(actor === undefined ? {} : { actor: parseActor(actor) }),
    ...(kinds === undefined ? {} : { kinds }),
    ...(since === undefined ? {} : { since: parseTime("since", since) }),
    ...(until === undefined ? {} : { until: parseTime("until", until) }),
  };
}

function parseKinds(kinds: unknown): EventKind[] {
  return parseList("kind", kinds, (word) => parseWord("kind", word, EVENT_KINDS)) as EventKind[];
}

/** Events that match and are seen, in the order of their ids, beyond one of them. */
export async function readEvents(
  session: Session,
  filter: CheckedFilter,
  { descending, beyond, limit }: { descending: boolean; beyond: number | undefined; limit: number },
  access?: Access,
): Promise<ModelEvent[]> {
  const visibility = visibilityOf(access);
  const { modelId, actor, kinds, since, until } = filter;
  const values: Values = { ...visibility?.values, limit };
  const shape: string[] = [descending ? "desc" : "asc"];
  const given = { beyond, modelId, actor, since, until };
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    values[name] = value;
    shape.push(name);
  }
  kinds?.forEach((kind, index) => (values[`kind_${index}`] = kind));
  const key = `events ${shape.join(" ")} ${kinds?.length ?? 0}${visibility?.key ?? ""}`;
  const rows = await session.all(
    query<Values, EventTable>(key, (context) => {
      const { db, p, sql } = context;
      let events = db
        .selectFrom(modelId === undefined ? "model_event" : "model_event_by_model as model_event")
        .selectAll();
      if (beyond !== undefined)
        events = events.where("event_id", descending ? "<" : ">", p("beyond") as never);
      if (modelId !== undefined) events = events.where("model_id", "=", p("modelId") as never);
      if (actor !== undefined) events = events.where("actor", "=", p("actor") as never);
      if (since !== undefined) events = events.where("at", ">=", p("since") as never);
      if (until !== undefined) events = events.where("at", "<=", p("until") as never);
      if (kinds !== undefined) {
        events = events.where(
          sql<boolean>`kind in (${sql.join(kinds.map((_, index) => p(`kind_${index}`)))})`,
        );
      }
      if (visibility !== undefined) events = events.where(visibility.ofEvent(context));
      return events.orderBy("event_id", descending ? "desc" : "asc").limit(p("limit") as never);
    }),
    values,
  );
  return rows.map(toModelEvent);
}

function parseEventCursor(cursor: unknown): number {
  if (typeof cursor === "string" && /^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw invalidInput("cursor", "The cursor is none of the history's. Use next_cursor of the page before.");
}
