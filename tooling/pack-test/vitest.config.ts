import preset from "@cortex/tooling-vitest";
import { mergeConfig } from "vitest/config";

// Installing from a registry takes as long as the network does.
export default mergeConfig(preset, { test: { testTimeout: 120_000, hookTimeout: 240_000 } });
