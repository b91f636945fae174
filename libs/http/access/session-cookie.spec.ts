import fc from 'fast-check';
import { Secret } from '#crypto';
import { clearedSessionCookie, hasSessionCookie, sessionCookie, sessionTokenOf } from './session-cookie';

const tokenIn = (cookie: string | undefined) => sessionTokenOf({ headers: { cookie } });

describe('the cookie of a session', () => {
  it.each([
    ['tenkey_session=tkc_a_b', 'tkc_a_b'],
    ['theme=dark; tenkey_session=tkc_a_b; lang=sv', 'tkc_a_b'],
    ['theme=dark;tenkey_session=tkc_a_b', 'tkc_a_b'],
    ['theme=dark;\ttenkey_session=tkc_a_b ;lang=sv', 'tkc_a_b'],
    ['tenkey_session="tkc_a_b"', 'tkc_a_b'],
    ['tenkey_session= tkc_a_b ', 'tkc_a_b'],
    // A browser sends the one with the longest path first.
    ['tenkey_session=first; tenkey_session=second', 'first'],
    ['tenkey_session=; tenkey_session=second', undefined],
    ['tenkey_session="first; tenkey_session=second', '"first'],
    // A value has no semicolon, so quotes cannot hide one.
    ['a="x; tenkey_session=second"', 'second"'],
    ['tenkey_session=a=b', 'a=b'],
    ['', undefined],
    [undefined, undefined],
    ['tenkey_session', undefined],
    ['tenkey_session=""', undefined],
    ['tenkey_session=;', undefined],
    ['Tenkey_Session=tkc_a_b', undefined],
    ['xtenkey_session=tkc_a_b', undefined],
    ['x tenkey_session=tkc_a_b', undefined],
    ['tenkey_sessions=tkc_a_b', undefined],
    ['theme=tenkey_session=tkc_a_b', undefined],
    ['tenkey_session%3Dtkc_a_b', undefined],
    ['__proto__=x; constructor=y; =z; ;;=', undefined],
  ])('is read from %j as %j', (cookie, token) => {
    expect([tokenIn(cookie), hasSessionCookie({ headers: { cookie } })]).toEqual([
      token,
      token !== undefined,
    ]);
  });

  it('is found among any others, wherever it is', () => {
    const name = fc
      .stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/)
      .filter((each) => each !== 'tenkey_session');
    const value = fc.stringMatching(/^[^;\r\n\u0100-\uffff]*$/);
    const others = fc.array(
      fc.tuple(name, value).map((pair) => pair.join('=')),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(others, others, (before, after) => {
        expect(tokenIn([...before, 'tenkey_session=tkc_a_b', ...after].join('; '))).toBe('tkc_a_b');
        expect(tokenIn([...before, ...after].join('; '))).toBeUndefined();
      }),
    );
  });

  it('is read in a time that is linear in the length of the header', () => {
    for (const part of [
      ';',
      '; ',
      ' ',
      ';\t\t',
      'tenkey_session',
      ';tenkey_session',
      '"',
      ';tenkey_session ',
    ]) {
      const startedAt = performance.now();
      tokenIn(part.repeat(2_000_000 / part.length));
      expect([part, performance.now() - startedAt < 2000]).toEqual([part, true]);
    }
  });

  const token = new Secret('tkc_a_b');
  it.each([
    [undefined, 'Path=/; Max-Age=43200; HttpOnly; SameSite=Strict'],
    ['http://127.0.0.1:3000', 'Path=/; Max-Age=43200; HttpOnly; SameSite=Strict'],
    ['https://tenkey.example', 'Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure'],
    ['https://platform.example/tenkey', 'Path=/tenkey; Max-Age=43200; HttpOnly; SameSite=Strict; Secure'],
    ['http://platform.example:8080/a/b', 'Path=/a/b; Max-Age=43200; HttpOnly; SameSite=Strict'],
  ])('for PUBLIC_URL=%s is limited to its path, and forgotten there', (publicUrl, attributes) => {
    expect(sessionCookie(publicUrl, token, 43_200)).toBe(`tenkey_session=tkc_a_b; ${attributes}`);
    expect(clearedSessionCookie(publicUrl)).toBe(
      `tenkey_session=; ${attributes.replace('Max-Age=43200', 'Max-Age=0')}`,
    );
  });
});
