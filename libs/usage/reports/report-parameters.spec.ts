import { encodeCursor } from './report-cursor';
import { parseReportQuery } from './report-parameters';

describe('a page of a report', () => {
  const midnight = Date.parse('2026-02-01T00:00:00Z');

  it('has the days of the first page, even after midnight', () => {
    const first = parseReportQuery({}, midnight - 1);
    expect(first).toMatchObject({ since: '2026-01-02', until: '2026-01-31', after: undefined });
    const cursor = encodeCursor([first.since, first.until, '2026-01-15']);
    const next = parseReportQuery({ cursor }, midnight);
    expect(next).toMatchObject({ since: '2026-01-02', until: '2026-01-31', after: ['2026-01-15'] });
  });

  it('has the days of its query', () => {
    const cursor = encodeCursor(['2026-01-02', '2026-01-31', '2026-01-15']);
    const parameters = parseReportQuery({ cursor, since: '2026-01-10', until: '2026-01-20' }, midnight);
    expect(parameters).toMatchObject({ since: '2026-01-10', until: '2026-01-20' });
  });
});
