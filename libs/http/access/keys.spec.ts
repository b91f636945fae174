import crypto from 'node:crypto';
import { Secret } from '#crypto';
import { indexAmong } from './keys';

const ours = ['first-key-of-enough-length', 'second-key-of-enough-length', 'third-key-of-enough-length'];

it.each([
  ['the first of ours', ours[0]!, 0],
  ['the last of ours', ours[2]!, 2],
  ['one that differs at its beginning', `X${ours[0]!.slice(1)}`, -1],
  ['one that differs at its end', `${ours[0]!.slice(0, -1)}X`, -1],
  ['the beginning of one', ours[1]!.slice(0, 4), -1],
  ['one that goes on after it', `${ours[1]!}-and-more`, -1],
])(
  '%s is compared with all of ours, by digests of one length and in constant time',
  (_, presented, expected) => {
    const compare = jest.spyOn(crypto, 'timingSafeEqual');
    try {
      expect(
        indexAmong(
          presented,
          ours.map((key) => new Secret(key)),
        ),
      ).toBe(expected);
      const lengths = compare.mock.calls.map((buffers) => buffers.map(({ byteLength }) => byteLength));
      expect(lengths).toEqual(ours.map(() => [32, 32]));
    } finally {
      compare.mockRestore();
    }
  },
);
