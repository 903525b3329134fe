import type { Experiment } from "../experiment.ts";
import { contention } from "./contention.ts";
import { damage } from "./damage.ts";
import { disk } from "./disk.ts";
import { kill } from "./kill.ts";
import { oldClients } from "./old-clients.ts";
import { power } from "./power.ts";
import { textClients } from "./text-clients.ts";
import { times } from "./times.ts";

/** In the order in which the help lists them. */
export const EXPERIMENTS: readonly Experiment[] = [
  power,
  kill,
  disk,
  contention,
  damage,
  oldClients,
  textClients,
  times,
];
