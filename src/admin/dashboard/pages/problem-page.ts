import { html } from '../html';
import { cardPage } from '../layout';

/** Returns the page that says what went wrong, with a way back. */
export function problemPage(title: string, detail: string | undefined, requestId: string): string {
  return cardPage(
    title,
    html`<h1>${title}</h1>
      <p>${detail}</p>
      <p class="dim">Request ${requestId}</p>
      <p><a href="/admin">Back to the dashboard</a></p>`,
  );
}
