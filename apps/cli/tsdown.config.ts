export { app as default } from "@cortex/tooling-tsdown";
