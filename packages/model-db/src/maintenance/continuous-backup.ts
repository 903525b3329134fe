import { registryOfBackup } from "./backup-folder.ts";
import { lastLoggedEventId } from "./change-log.ts";
import { readBackupNote, type BackupNote } from "./sidecar.ts";

/** Where a registry's continuous backup is, and how far it goes. */
export interface ContinuousBackup extends BackupNote {
  /** The newest event that the backup's log holds; `undefined` where it cannot be reached. */
  readonly loggedEvent: number | undefined;
}

/** The backup that a registry was last followed into; `undefined` where it never was. */
export function continuousBackupOf(location: string): ContinuousBackup | undefined {
  const note = readBackupNote(location);
  if (note === undefined) return undefined;
  try {
    if (registryOfBackup(note.folder) !== note.registryId) return { ...note, loggedEvent: undefined };
    return { ...note, loggedEvent: lastLoggedEventId(note.folder) };
  } catch {
    // On a disk that is not here just now.
    return { ...note, loggedEvent: undefined };
  }
}
