export { OldProgram, OldProgramDied, type ModelEntry, type Status } from "./old-program.ts";
export type { OldConnection, OldRow } from "./old-connection.ts";
export { openPlainConnection } from "./plain-connection.ts";
export { findShell, openShellConnection } from "./shell-connection.ts";
