import { RegistryError, toRunRecord, toVisible, type Run } from "@cortex/model-db";

import { MisuseError } from "../errors.ts";
import type { Everywhere } from "../everywhere.ts";
import { openForWriting } from "../open.ts";
import { toDocument } from "../output/json.ts";
import { writeNote, writeOut } from "../output/stream.ts";
import { quote } from "../values.ts";

/** What `cortex stop` takes. */
export interface StopOptions extends Everywhere {
  readonly model: string;
  readonly holder?: string;
  readonly token?: number;
}

/** Ends the lease on a model; where there are several, the one that `--holder` or `--token` names. */
export async function stop(options: StopOptions): Promise<void> {
  await using registry = await openForWriting(options);
  const run = choose(await registry.runs.list({ name: options.model }), options);
  await registry.runs.release(run.token);
  if (options.quiet === true) writeOut(`${run.token}\n`);
  else if (options.json === true) writeOut(toDocument(toRunRecord(run)));
  else writeNote(toVisible(`${run.holder} runs ${run.modelId} no longer`));
}

function choose(runs: readonly Run[], { model, holder, token }: StopOptions): Run {
  const meant = runs.filter(
    (run) => (holder === undefined || run.holder === holder) && (token === undefined || run.token === token),
  );
  const [run] = meant;
  if (run === undefined && token !== undefined) {
    throw new RegistryError("lease_lost", `Lease ${token} on ${model} does not hold any more.`);
  }
  if (run === undefined) {
    const others = [...new Set(runs.map((other) => quote(other.holder)))].join(" and ");
    const told =
      others === ""
        ? `Nobody runs ${model}: there is nothing to stop.`
        : `${quote(holder ?? "")} does not run ${model}. It is run by ${others}: name that with --holder.`;
    throw new RegistryError("not_found", told);
  }
  if (meant.length > 1) {
    const list = meant
      .map((other) => `\n  --token ${other.token}  ${other.holder} on ${other.node}`)
      .join("");
    throw new MisuseError(
      `${model} is run ${meant.length} times. Say which with --holder or --token:${list}`,
    );
  }
  return run;
}
