import type { Model, ModelEvent } from "@cortex/model-db";
import { describe, expect, test } from "vitest";

import { textClients } from "../src/experiments/text-clients.ts";
import { judge, type Aftermath } from "../src/text-clients/judge.ts";
import type { ToldChange } from "../src/text-clients/list-change.ts";

test("old programs that rewrite model.list and ours lose nothing to each other", async () => {
  const { summary, failures } = await textClients.run({ seed: 1, long: false, say: () => undefined });
  console.log(summary);
  expect(failures).toEqual([]);
});

describe("a bridge that loses something is noticed", () => {
  const added = told("old1", "add", "m", 1000);
  const aliased = { ...told("old1", "alias", "m", 1200), alias: "n" };
  const deleted = told("old1", "delete", "m", 1200);
  test.each<[string, ToldChange[], Aftermath, string[]]>([
    ["nothing", [added], aftermath({ m: "m" }), []],
    ["a model", [added], aftermath({}), ["theirs: m has not the alias m: undefined"]],
    ["an alias", [added, aliased], aftermath({ m: "m" }), ["theirs: m has not the alias n: m"]],
    ["a deletion", [added, deleted], aftermath({ m: "m" }), ["theirs: m is there, and was deleted"]],
    [
      "a line",
      [added],
      { ...aftermath({ m: "m" }), listed: [], aliasesListed: new Map() },
      ["file: m is not in it"],
    ],
    [
      "a model that nobody deleted",
      [added],
      aftermath({}, event("created", 1050), event("deleted", 4000)),
      ["theirs: m has not the alias m: undefined", "bridge: m was deleted, and nobody meant it (event 4000)"],
    ],
  ])("%s", (_what, theirs, found, problems) => {
    expect(judge(found, [], theirs).problems).toEqual(problems);
  });

  test("of ours: whatever old programs did meanwhile", () => {
    const theirs = [told("old1", "add", "x", 1000), told("old2", "add", "y", 1005)];
    const found = aftermath({ x: "x", y: "y" });
    expect(judge(found, [{ ...told("ours", "add", "m", 1000) }], theirs).problems).toEqual([
      "ours: m has not the alias m: undefined",
    ]);
  });
});

describe("what old programs lose by themselves is not the bridge's loss", () => {
  const added = told("old1", "add", "m", 1000);
  const met = [told("old2", "add", "x", 1400), told("old3", "add", "y", 1410)];
  const lost = (others: readonly ToldChange[], found = aftermath({ x: "x", y: "y" })): [string[], number] => {
    const { problems, ownLosses } = judge(found, [], [added, ...others]);
    return [problems, ownLosses];
  };
  const problem = ["theirs: m has not the alias m: undefined"];

  test("while a line waits for a bridge that is at work, and no longer", () => {
    expect(lost(met)).toEqual([[], 1]);
    const late = met.map((change) => ({
      ...change,
      beganAt: change.beganAt + 3000,
      endedAt: change.endedAt + 3000,
    }));
    expect(lost(late)).toEqual([problem, 0]);
    const away = { ...aftermath({ x: "x", y: "y" }), bridged: [{ from: 4000, to: 9000 }] };
    expect(lost(late, away)).toEqual([[], 1]);
  });

  test("not what the history has already", () => {
    expect(lost(met, aftermath({ x: "x", y: "y" }, event("created", 1050)))).toEqual([problem, 0]);
  });

  test("nor what programs did that were not at the file at once", () => {
    expect(lost([met[0]!])).toEqual([problem, 0]);
  });

  test("where one was killed in the middle of a write", () => {
    expect(lost([{ ...met[0]!, done: undefined }])).toEqual([[], 1]);
  });

  test("a deletion that did not find the line, but has taken the YAML", () => {
    const refused = { ...told("old1", "delete", "m", 1200), done: false };
    const found = aftermath({}, event("created", 1050));
    expect(lost([{ ...refused, hasTakenYaml: true }], found)).toEqual([[], 0]);
    expect(lost([refused], found)).toEqual([problem, 0]);
  });
});

function told(program: string, kind: ToldChange["kind"], modelId: string, beganAt: number): ToldChange {
  return { program, kind, modelId, alias: modelId, beganAt, endedAt: beganAt + 20, done: true };
}

function event(kind: ModelEvent["kind"], at: number): ModelEvent {
  return {
    eventId: at,
    modelId: "m",
    kind,
    actor: "legacy",
    at,
    rowVersion: 1,
    before: null,
    after: null,
    origin: null,
  };
}

/** Models by their aliases, in the registry and in the file; a bridge that was at work all the time. */
function aftermath(aliases: Readonly<Record<string, string>>, ...events: ModelEvent[]): Aftermath {
  const entries = Object.entries(aliases);
  return {
    models: new Map(entries.map(([modelId, alias]) => [modelId, { modelId, alias } as Model])),
    events,
    aheadMs: 0,
    bridged: [{ from: 0, to: 9000 }],
    listed: Object.keys(aliases),
    aliasesListed: new Map(entries),
  };
}
