import { toRecord, toVisible, type Model } from "@cortex/model-db";

import type { Everywhere } from "../everywhere.ts";
import { toDocument } from "./json.ts";
import { writeNote, writeOut } from "./stream.ts";

/** Says what a verb has done to a model: a sentence for people, or the record or the id for programs. */
export function printChanged(model: Model, sentence: string, options: Everywhere): void {
  if (options.quiet === true) writeOut(`${toVisible(model.modelId)}\n`);
  else if (options.json === true) writeOut(toDocument(toRecord(model)));
  else writeNote(toVisible(sentence));
}
