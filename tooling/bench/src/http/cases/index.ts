import type { Case } from "../../case.ts";
import { conditional } from "./conditional.ts";
import { getOne } from "./get-one.ts";
import { page } from "./page.ts";
import { write } from "./write.ts";

/** Every case of the HTTP service that takes seconds, in the order in which they are run. */
export const HTTP_CASES: readonly Case[] = [getOne, page, conditional, write];
