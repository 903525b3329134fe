import base from "@cortex/tooling-vitest";
import { mergeConfig } from "vitest/config";

/** An experiment takes as long as a busy machine lets it: the limit ends those that hang. */
export default mergeConfig(base, { test: { testTimeout: 600_000 } });
