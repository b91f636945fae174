// Draws results.svg: for each kind of work, the calls per second of each gateway as a share of bare.

const WIDTH = 720;
const LABEL = 190;
const BAR = 14;
const ROW = 20;
const TITLE = 34;
const CONNECTIONS = 16;

/** Colours that are readable on a light and on a dark page; the page decides which of them are used. */
const style = `
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600 } .note { fill: #59636e }
  .bar { fill: #8c959f } .tenkey { fill: #0969da } .line { stroke: #1f2328; stroke-dasharray: 3 3 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .note { fill: #9198a1 }
    .bar { fill: #656c76 } .tenkey { fill: #4493f8 } .line { stroke: #f0f6fc }
  }`;

export function plotOf(results, works) {
  const connections = results.connections.includes(CONNECTIONS) ? CONNECTIONS : results.connections.at(-1);
  const groups = works
    .map(({ name, title }) => ({ title, bars: barsOf(results, name, connections) }))
    .filter(({ bars }) => bars.length > 0);
  const largest = Math.max(1, ...groups.flatMap(({ bars }) => bars.map(({ share }) => share)));
  const scale = (WIDTH - LABEL - 60) / largest;

  const parts = [];
  let y = 24;
  parts.push(text(0, 14, `Calls per second as a share of bare, ${connections} connections`, 'title'));
  for (const { title, bars } of groups) {
    y += TITLE;
    parts.push(text(0, y - 10, title, 'note'));
    const top = y;
    for (const { gateway, label, share } of bars) {
      const width = Math.max(1, share * scale).toFixed(1);
      parts.push(text(LABEL - 8, y + 11, label, '', 'end'));
      parts.push(
        `<rect class="${gateway === 'tenkey' ? 'tenkey' : 'bar'}" x="${LABEL}" y="${y}" width="${width}" height="${BAR}" rx="2"/>`,
      );
      parts.push(text(LABEL + Number(width) + 6, y + 11, share.toPrecision(2)));
      y += ROW;
    }
    const x = (LABEL + scale).toFixed(1);
    parts.push(`<line class="line" x1="${x}" y1="${top - 3}" x2="${x}" y2="${y - 3}"/>`);
  }
  const height = y + 10;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="Calls per second of each gateway as a share of the bare pass-through">
<style>${style}
</style>
${parts.join('\n')}
</svg>
`;
}

function barsOf(results, work, connections) {
  return results.gateways
    .filter((gateway) => gateway !== 'direct')
    .flatMap((gateway) => {
      const cell = results.cell(gateway, work, connections);
      const share = gateway === 'bare' && cell ? 1 : cell?.ofBare?.median;
      return share === undefined ? [] : [{ gateway, label: results.title(gateway), share }];
    });
}

function text(x, y, content, name = '', anchor = 'start') {
  const escaped = content.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
  return `<text class="${name}" x="${x}" y="${y}" text-anchor="${anchor}">${escaped}</text>`;
}
