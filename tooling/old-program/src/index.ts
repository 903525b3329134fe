export { OldProgram, OldProgramDied, type ModelEntry, type Status } from "./old-program.ts";
export type { OldConnection, OldRow } from "./old-connection.ts";
export { OldTextStore, type Accidents, type OldListEntry } from "./old-text-store.ts";
export { openPlainConnection } from "./plain-connection.ts";
export { findShell, openShellConnection } from "./shell-connection.ts";
