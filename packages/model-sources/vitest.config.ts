export { default } from "@cortex/tooling-vitest";
