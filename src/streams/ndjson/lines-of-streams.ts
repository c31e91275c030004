const head = '{"stream":';

/** Lines that follow each other and are of one stream. */
export interface LinesOfStream {
  /** The stream's name as it stands in the lines, in quotes; empty where a line does not begin with it. */
  readonly stream: string;
  /** Each with its end. */
  readonly text: string;
}

/**
 * Cuts lines of JSON where the stream changes. Which of two streams speaks first is chance; what is
 * compared is what each of them says.
 *
 * @param text whole lines, each with its end
 */
export function linesOfStreams(text: string): readonly LinesOfStream[] {
  const parts: LinesOfStream[] = [];
  for (let from = 0; from < text.length; ) {
    const stream = streamAt(text, from);
    let to = text.indexOf("\n", from) + 1;
    while (to < text.length && isOfStream(text, to, stream)) to = text.indexOf("\n", to) + 1;
    parts.push({ stream, text: text.slice(from, to) });
    from = to;
  }
  return parts;
}

/** A name ends with the first quote that is not escaped. */
function streamAt(text: string, at: number): string {
  if (!text.startsWith(head, at)) return "";
  const from = at + head.length;
  let to = from + 1;
  while (to < text.length && text[to] !== '"') to += text[to] === "\\" ? 2 : 1;
  return text.slice(from, to + 1);
}

function isOfStream(text: string, at: number, stream: string): boolean {
  if (stream === "") return streamAt(text, at) === "";
  return text.startsWith(head, at) && text.startsWith(stream, at + head.length);
}
