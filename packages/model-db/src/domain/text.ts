// Nearly every text.
const PLAIN = /^[ -~]*$/;

// C0, DEL, C1; line and paragraph separators; bidirectional controls; byte order mark; lone surrogates; what
// Unicode says is no character. Made when it is needed: that takes longer than to print a list of models.
function forbidden(): RegExp {
  // oxlint-disable-next-line no-control-regex -- naming them is the point
  return /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}|\p{Noncharacter_Code_Point}/gu;
}

/** Whether a text holds a character that could drive a terminal, reorder a line or break an encoding. */
export function hasForbiddenCharacter(text: string): boolean {
  return !PLAIN.test(text) && forbidden().test(text);
}

/**
 * A text from outside, fit for one line of a terminal or a log: each character that
 * {@link hasForbiddenCharacter} names becomes a visible escape such as `\x1b` or `\u202e`
 * (CWE-150). Other text comes back unchanged.
 */
export function toVisible(text: string): string {
  if (!hasForbiddenCharacter(text)) return text;
  return text.replace(forbidden(), (character) => {
    const code = character.codePointAt(0)!.toString(16);
    if (code.length <= 2) return `\\x${code.padStart(2, "0")}`;
    return code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\u{${code}}`;
  });
}
