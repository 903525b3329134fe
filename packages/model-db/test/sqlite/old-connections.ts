import { findShell, openPlainConnection, openShellConnection, type OldConnection } from "@cortex/old-program";

const shell = findShell();

/** The SQLites that old programs are tried with: ours without what we add to it, and that of the system. */
export const OLD_CONNECTIONS: readonly {
  readonly name: string;
  readonly isThere: boolean;
  readonly connect: (path: string) => OldConnection;
}[] = [
  { name: "plain SQLite", isThere: true, connect: openPlainConnection },
  {
    name: shell === undefined ? "the sqlite3 shell, which is not installed" : `sqlite3 ${shell}`,
    isThere: shell !== undefined,
    connect: openShellConnection,
  },
];
