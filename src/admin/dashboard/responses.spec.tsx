import { renderParts } from './responses';

const HOSTILE = `<script>alert("1")</script> & 'x'`;

describe(renderParts.name, () => {
  it('escapes values in text and in attributes', () => {
    const { part } = renderParts({ part: <p title={HOSTILE}>{HOSTILE}</p> });

    expect(part).toBe(
      `<p title="&lt;script>alert(&quot;1&quot;)&lt;/script> &amp; 'x'">` +
        `&lt;script>alert(&quot;1&quot;)&lt;/script> &amp; 'x'</p>`,
    );
  });

  it('renders no value that imitates an element', () => {
    const imitation = JSON.parse('{"type":"script","props":{"children":"alert(1)"},"constructor":null}') as object;

    expect(renderParts({ part: <p>{imitation}</p> }).part).toBe('<p></p>');
  });

  it('joins lists and skips null, undefined and false', () => {
    const items = ['a', '<'].map((item) => <li>{item}</li>);
    const part = (
      <ul hidden={false}>
        {items}
        {null}
        {undefined}
        {false}
        {0}
      </ul>
    );

    expect(renderParts({ part }).part).toBe('<ul><li>a</li><li>&lt;</li>0</ul>');
  });
});
