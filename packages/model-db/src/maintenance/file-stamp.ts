/** A time as it stands in the names of files: `20260131T120000000Z`. @param at Unix milliseconds */
export function toFileStamp(at: number): string {
  return new Date(at).toISOString().replaceAll(/[-:.]/g, "");
}

/** The time of such a stamp, in Unix milliseconds. */
export function parseFileStamp(stamp: string): number {
  const [year, month, day] = [stamp.slice(0, 4), stamp.slice(4, 6), stamp.slice(6, 8)];
  const [hour, minute, second] = [stamp.slice(9, 11), stamp.slice(11, 13), stamp.slice(13, 15)];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${stamp.slice(15, 18)}Z`);
}
