import type { Case } from "../../case.ts";
import { pull } from "./pull.ts";
import { scan } from "./scan.ts";

/** Every case of where models come from, in the order in which they are run. */
export const SOURCE_CASES: readonly Case[] = [scan, pull];
