import type { Case } from "../case.ts";
import { change } from "./change.ts";
import { concurrent } from "./concurrent.ts";
import { create } from "./create.ts";
import { resolve } from "./resolve.ts";

/** Every case, in the order in which they are run. */
export const CASES: readonly Case[] = [resolve, create, change, concurrent];
