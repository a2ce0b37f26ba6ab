import { html } from './html';

describe(html.name, () => {
  it('escapes values in text and in attributes', () => {
    const markup = html`<p title="${'" onclick="x'}">${"<b>&'"}</p>`;

    expect(markup.text).toBe('<p title="&quot; onclick=&quot;x">&lt;b&gt;&amp;&#39;</p>');
  });

  it('keeps markup, joins lists and skips null', () => {
    const items = ['a', '<'].map((item) => html`<li>${item}</li>`);

    expect(html`<p>${items}${null}${undefined}${0}</p>`.text).toBe('<p><li>a</li><li>&lt;</li>0</p>');
  });
});
