import { expect } from "vitest";

import { EventSubjects } from "../../src/events/event-subjects.ts";
import { test } from "../harness.ts";

test("of a model, however large, only what decides who sees it is held for its events", async ({
  service,
}) => {
  const { access, history, models } = service.registry;
  await access.users.create({ name: "ann", grants: [{ role: "reader" }] });
  const fields = { sourceType: "local", owner: "ann", private: true, tags: ["t"] } as const;
  for (const modelId of ["there", "gone"]) {
    await models.create({ modelId, ...fields, metadata: { large: "a".repeat(100_000) } });
  }
  await models.delete("gone");
  const subjects = new EventSubjects(service.registry);
  const { items } = await history.list({ order: "asc" });
  for (const { eventId, modelId, kind, actor } of items) {
    const subject = await subjects.of({ eventId, modelId, kind, actor, frame: new Uint8Array() });
    expect(subject).toEqual({ modelId, tags: ["t"], owner: "ann", private: true });
  }
});
