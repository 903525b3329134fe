import type { Guarded, JsonObject, Registry } from "@cortex/model-db";

import type { RecentEvent } from "./recent-events.ts";

/**
 * By what an event is seen or not: its model as it is now or, where that was deleted since, as it was then.
 * It is looked up once for all who listen.
 */
export class EventSubjects {
  readonly #registry: Registry;
  readonly #known = new Map<number, Promise<Guarded | undefined>>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** @returns `undefined` for what happened to the registry as a whole. */
  of(event: RecentEvent): Promise<Guarded | undefined> {
    let subject = this.#known.get(event.eventId);
    if (subject === undefined) {
      subject = this.#find(event);
      this.#known.set(event.eventId, subject);
    }
    return subject;
  }

  /** Something has happened, by which other events may be seen than before. */
  forget(): void {
    this.#known.clear();
  }

  async #find({ eventId, modelId, kind }: RecentEvent): Promise<Guarded | undefined> {
    if (kind === "repaired") return undefined;
    const { history, models } = this.#registry;
    // An id can have had several lives: the next deletion ended the one that the event belongs to.
    const { items } = await history.list({
      modelId,
      kind: "deleted",
      order: "asc",
      cursor: String(eventId - 1),
      limit: 1,
    });
    const [deletion] = items;
    if (deletion !== undefined) return toGuarded(modelId, deletion.before ?? {});
    const model = await models.find(modelId);
    // Of a model only this is held: it can be large, and there are as many subjects as events.
    return model && { modelId, tags: model.tags, owner: model.owner, private: model.private };
  }
}

// What is empty stands in no record of the history.
function toGuarded(
  modelId: string,
  { tags = [], owner = null, private: isPrivate = false }: JsonObject,
): Guarded {
  return {
    modelId,
    tags: tags as string[],
    owner: owner as string | null,
    private: isPrivate as boolean,
  };
}
