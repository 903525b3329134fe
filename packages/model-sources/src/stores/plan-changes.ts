import type { Availability, Model, ModelFile, Registry } from "@cortex/model-db";

import { unfinishedTransfers } from "../space/unfinished-transfers.ts";
import { availabilityAfter } from "../verify/availability-after.ts";
import { factsOfFound, type FoundFacts } from "./facts-of-found.ts";
import type { FoundFile } from "./found-model.ts";
import type { InventoryModel } from "./inventory.ts";
import type { RegisteredModel } from "./registered-files.ts";
import { RemovedModels } from "./removed-models.ts";
import type { Scan } from "./scan.ts";

/** What the registry says of a model, and what is so. */
export interface ModelCorrection {
  readonly model: Model;
  readonly availability: Availability;
  /** Files that lie elsewhere now. */
  readonly moves: readonly { readonly file: ModelFile; readonly to: FoundFile }[];
  /** What its tool has put in its place, where nobody knows what was there before. */
  readonly renewal: Renewal | undefined;
}

/** A model whose tool has written its files anew. */
interface Renewal {
  readonly files: readonly { readonly file: ModelFile; readonly to: FoundFile }[];
  readonly facts: FoundFacts;
}

/** A model to be registered, with what its files say. */
export interface Adoption {
  readonly found: InventoryModel;
  readonly facts: FoundFacts;
}

/** What is not registered, and why. */
interface Refusal {
  readonly found: InventoryModel;
  /** A sentence. */
  readonly reason: string;
}

/** What a scan would change in the registry. */
export interface ScanPlan {
  readonly corrections: readonly ModelCorrection[];
  /** Models to be registered where they lie. */
  readonly adoptions: readonly Adoption[];
  /** How many could be registered, had that been asked for. */
  readonly adoptableCount: number;
  /** What looks like a model and is none. */
  readonly refused: readonly Refusal[];
  /** Models that were taken out of the registry once, and stay out. */
  readonly removed: readonly InventoryModel[];
}

/**
 * Finds out what a scan would change in the registry: what is no longer where the registry says, or is there again,
 * and what could be registered. Of the same content in several stores only the first is; what somebody has taken out
 * stays out, and what is not whole waits until it is.
 *
 * @param registry `undefined` where there is none yet.
 * @param options.adopt whether to register what is new.
 * @param options.again whether also what was taken out.
 */
export async function planChanges(
  scan: Scan,
  registry: Registry | undefined,
  { adopt, again }: { readonly adopt: boolean; readonly again: boolean },
): Promise<ScanPlan> {
  const { inventory, registered } = scan;
  const corrections = registered === undefined ? [] : await findCorrections(scan, registry!);
  const moved = new Set(corrections.flatMap(({ moves }) => moves.map(({ to }) => to.identity)));
  const seen = new Set<number>();
  const fresh = inventory.models.filter(({ state, known, sameAs, files }) => {
    if (state !== "whole" || known !== null || files.every(({ role }) => role !== "weights")) return false;
    if (files.some(({ identity }) => moved.has(identity))) return false;
    if (sameAs === null) return true;
    if (seen.has(sameAs)) return false;
    seen.add(sameAs);
    return true;
  });
  const isKept = again || registry === undefined || fresh.length === 0;
  const gone = isKept ? undefined : await RemovedModels.read(registry.history);
  const adoptions: Adoption[] = [];
  const refused: Refusal[] = [];
  const removed: InventoryModel[] = [];
  for (const found of fresh) {
    if (gone?.has(found, scan.contents) === true) {
      removed.push(found);
      continue;
    }
    const facts = await factsOfFound(found);
    if (typeof facts === "string") refused.push({ found, reason: facts });
    else adoptions.push({ found, facts });
  }
  const adoptableCount = adopt ? 0 : adoptions.length;
  return { corrections, adoptions: adopt ? adoptions : [], adoptableCount, refused, removed };
}

async function findCorrections(
  { inventory, contents, registered }: Scan,
  registry: Registry,
): Promise<ModelCorrection[]> {
  const found = new Map<string, FoundFile>();
  for (const { files } of inventory.models) {
    for (const file of files)
      if (file.identity !== null && !found.has(file.identity)) found.set(file.identity, file);
  }
  const whole = new Map<string, InventoryModel>();
  for (const model of inventory.models)
    if (model.state === "whole" && model.known?.by === "path") whole.set(model.known.modelId, model);
  const corrections: ModelCorrection[] = [];
  for (const one of registered!.models) {
    const { model } = one;
    if (!isMeantToBeHere(model.availability)) continue;
    const moves = one.files.flatMap(({ file, path, state }) => {
      if (state !== "missing" || file.sizeBytes === null) return [];
      const identity = contents.whereIs({ path, sizeBytes: file.sizeBytes, sha256: file.sha256 });
      const to = identity === undefined ? undefined : found.get(identity);
      return to === undefined || registered!.has(to) ? [] : [{ file, to }];
    });
    const renewal = await findRenewal(one, whole.get(model.modelId));
    const availability = availabilityNow(one, [...moves, ...(renewal?.files ?? [])]);
    if (availability === model.availability && moves.length === 0 && renewal === undefined) continue;
    // What is being fetched is for its transfer to say.
    if (
      availability === "present" &&
      model.availability === "partial" &&
      (await unfinishedTransfers(registry, model.modelId)) > 0
    )
      continue;
    corrections.push({ model, availability, moves, renewal });
  }
  return corrections;
}

/** Only files of others, of which no digest is recorded: any other change is for `verify` to tell. */
async function findRenewal(
  { files }: RegisteredModel,
  found: InventoryModel | undefined,
): Promise<Renewal | undefined> {
  const changed = files.filter(({ state }) => state === "changed");
  if (found === undefined || changed.length === 0) return undefined;
  const renewed = changed.flatMap(({ file, path }) => {
    const to = found.files.find((other) => other.path === path);
    return to === undefined || file.source !== null || file.sha256 !== null ? [] : [{ file, to }];
  });
  if (renewed.length < changed.length) return undefined;
  const facts = await factsOfFound(found);
  return typeof facts === "string" ? undefined : { files: renewed, facts };
}

function availabilityNow({ model, files }: RegisteredModel, moves: ModelCorrection["moves"]): Availability {
  const states = files.map(({ file, state }) => ({
    role: file.role,
    state: moves.some((move) => move.file === file) ? ("unproven" as const) : state,
  }));
  return availabilityAfter(model.availability, states);
}

function isMeantToBeHere(availability: Availability): boolean {
  return availability === "present" || availability === "partial" || availability === "missing";
}
