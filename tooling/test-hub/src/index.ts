export { startTestHub, type TestHub, type TestHubOptions } from "./test-hub.ts";
export type { ContentSource } from "./content.ts";
export type { Fault, FaultPlace } from "./faults.ts";
export type { SeenRequest } from "./seen-request.ts";
