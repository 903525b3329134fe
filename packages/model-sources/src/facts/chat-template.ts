/** Whether a chat template (Jinja) has a place for the tools that a model may call. */
export function speaksOfTools(template: string): boolean {
  return /\{[{%][^}]*\b(?:tools|tool_calls?|builtin_tools)\b/.test(template);
}
