import type { Case } from "../../case.ts";
import { pull } from "./pull.ts";

/** The cases of the benchmark of where models come from. */
export const SOURCE_CASES: readonly Case[] = [pull];
