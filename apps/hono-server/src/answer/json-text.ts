/** An answer of 200 whose JSON is written already. */
export class JsonText {
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(text: string, headers: Readonly<Record<string, string>> = {}) {
    this.text = text;
    this.headers = { "content-type": "application/json", ...headers };
  }
}
