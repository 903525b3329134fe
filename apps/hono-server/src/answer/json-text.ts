/** An answer of 200 whose JSON is written already. */
export class JsonText {
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(text: string, headers: Readonly<Record<string, string>> = {}) {
    this.text = text;
    this.headers = { "content-type": "application/json", ...headers };
  }

  toResponse(): Response {
    // Plain headers are handed to Node as they are; the web's `Headers` would cost more than reading a model.
    return new Response(this.text, { headers: this.headers as Record<string, string> });
  }
}
