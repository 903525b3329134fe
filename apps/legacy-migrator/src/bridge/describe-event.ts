import { toVisible } from "@cortex/model-db";

import type { BridgeEvent } from "./bridge-event.ts";

/** One line for people; empty for what happens all the time. */
export function describeEvent(event: BridgeEvent): string {
  return toVisible(describe(event));
}

function describe(event: BridgeEvent): string {
  switch (event.kind) {
    case "started":
      return `${event.list} and ${event.registry} are ${event.once ? "brought into step once." : "kept in step. Ctrl-C ends it."}`;
    case "line":
      return describeLine(event);
    case "updated":
      return `changed   ${event.model_id}: ${Object.entries(event.fields)
        .map(([field, value]) => `${field} is ${value}`)
        .join(", ")}`;
    case "deleted":
      return `deleted   ${event.model_id}`;
    case "conflict":
      return `conflict  ${event.model_id}: ${event.why}. The registry's word holds.`;
    case "kept": {
      const more = event.count - event.model_ids.length;
      const ids = `${event.model_ids.join(", ")}${more > 0 ? ` and ${more.toLocaleString("en")} more` : ""}`;
      return `kept      ${ids}: gone from the file, but ${event.why}. Delete with \`cortex rm\` what is to go.`;
    }
    case "set_aside":
      return `set aside ${event.path}: the file as it was, because ${event.why}`;
    case "left_out":
      return `left out  ${event.model_id} stays out of the file: ${event.why}. The registry has it.`;
    case "missing":
      return "restored  The file was gone, which deletes nothing; it is written again.";
    case "written":
      return "";
    case "waiting":
      return `waiting   ${event.why}`;
    default:
      return summarize(event);
  }
}

function describeLine(event: Extract<BridgeEvent, { kind: "line" }>): string {
  switch (event.outcome) {
    case "created":
      return `new       ${event.model_id}`;
    case "renamed":
      return `new       ${event.model_id}: its alias ${event.old_alias} is taken; it has ${event.new_alias ?? "none"}`;
    case "merged":
      return `merged    ${event.model_id}: line ${event.line} adds to ${event.into ?? "what is there"}`;
    case "already_there":
      return "";
    default:
      return event.code === "blank_line"
        ? ""
        : `refused   line ${event.line}: ${event.text}. ${event.why} ${event.remedy}`;
  }
}

function summarize(counts: Extract<BridgeEvent, { kind: "stopped" }>): string {
  const { created, updated, deleted, conflicts, kept, refused, written } = counts;
  const from = `From the file: ${created} new, ${updated} changed, ${deleted} deleted`;
  const rest = [
    [conflicts, "conflicts"],
    [kept, "lines kept"],
    [refused, "lines refused"],
  ].filter(([count]) => count !== 0);
  const also = rest.map(([count, what]) => `, ${count} ${what}`).join("");
  return `Stopped. ${from}${also}. The file was written ${written === 1 ? "once" : `${written} times`}.`;
}
