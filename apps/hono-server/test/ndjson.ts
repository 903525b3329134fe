import { checkedFetch } from "./checked-fetch.ts";

/** What became of a line. */
export interface Result {
  line: number;
  status: number;
  id?: string;
  error?: { code: string; message: string };
}

/** Sends lines and gives the answer, with its lines where it has any. */
export async function sendLines(
  url: string,
  lines: readonly (object | string)[],
  headers: Record<string, string> = {},
): Promise<{ response: Response; results: Result[] }> {
  const response = await checkedFetch(url, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson", ...headers },
    body: lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"),
  });
  if (!response.ok) return { response, results: [] };
  const text = await response.clone().text();
  const results = text.split("\n").filter((line) => line !== "");
  return { response, results: results.map((line) => JSON.parse(line) as Result) };
}
