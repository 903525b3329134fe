import { readFileSync } from "node:fs";

/** A change that a writer was told is done: what its event in the history must say. */
export interface AcknowledgedChange {
  readonly modelId: string;
  readonly rowVersion: number;
  readonly deleted: boolean;
}

/** One line of a writer's file of acknowledged changes. */
export function formatAcknowledged({ modelId, rowVersion, deleted }: AcknowledgedChange): string {
  return `${modelId} ${rowVersion}${deleted ? " deleted" : ""}\n`;
}

/** What a killed writer was told; a line that its end tore is none. */
export function readAcknowledged(path: string): AcknowledgedChange[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => {
      const [modelId, rowVersion, deleted] = line.split(" ");
      return { modelId: modelId!, rowVersion: Number(rowVersion), deleted: deleted !== undefined };
    });
}
