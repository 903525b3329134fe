// C0, DEL, C1; line and paragraph separators; bidirectional controls; byte order mark; lone surrogates.
const FORBIDDEN =
  // oxlint-disable-next-line no-control-regex -- naming them is the point
  /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/u;
const FORBIDDEN_ALL = new RegExp(FORBIDDEN.source, "gu");

/** Whether a text holds a character that could drive a terminal, reorder a line or break an encoding. */
export function hasForbiddenCharacter(text: string): boolean {
  return FORBIDDEN.test(text);
}

/**
 * A text from outside, fit for one line of a terminal or a log: each character that
 * {@link hasForbiddenCharacter} names becomes a visible escape such as `\x1b` or `\u202e`
 * (CWE-150). Other text comes back unchanged.
 */
export function toVisible(text: string): string {
  if (!FORBIDDEN.test(text)) return text;
  return text.replace(FORBIDDEN_ALL, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x100
      ? `\\x${code.toString(16).padStart(2, "0")}`
      : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}
