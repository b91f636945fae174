import { type RequestDifferences } from '../provider';
import { eventsIn } from './sse';
import {
  type Json,
  type StreamEvent,
  type StreamTranslator,
  type Translation,
  type TranslationContext,
  UnsupportedParameter,
} from './translation';

/**
 * Translates through a format in between: `outer` from the client's format to that one, `inner` from that one to the
 * provider's.
 * @param between how the requests that `inner` reads differ from the documentation of the format in between
 */
export function composed(
  outer: Translation,
  inner: Translation,
  between: RequestDifferences = {},
): Translation {
  return {
    added: inner.added,
    clientName: (name) => outer.clientName(inner.clientName(name)),
    encode: (request, upstreamModel, differences) => {
      const half = outer.encode(request, upstreamModel, between);
      const encoded = withClientPath(half.clientPath, () =>
        inner.encode(half.body, upstreamModel, differences),
      );
      const dropped = encoded.dropped
        .filter((name) => !outer.added.includes(name))
        .map((name) => outer.clientName(name));
      return {
        body: encoded.body,
        dropped: [...new Set([...half.dropped, ...dropped])],
        forResponse: { outer: half.forResponse, inner: encoded.forResponse },
      };
    },
    decode: (response, context) =>
      outer.decode(inner.decode(response, contextOf('inner', context)), contextOf('outer', context)),
    stream: (context) =>
      new ComposedStream(
        outer.stream(contextOf('outer', context)),
        inner.stream(contextOf('inner', context)),
      ),
  };
}

function contextOf(
  translation: 'outer' | 'inner',
  { model, request }: TranslationContext,
): TranslationContext {
  return { model, request: request[translation] as Json };
}

/** An error of the inner translation names a path in the format in between. */
function withClientPath<T>(clientPath: ((path: string) => string) | undefined, encode: () => T): T {
  try {
    return encode();
  } catch (error) {
    if (!(error instanceof UnsupportedParameter) || clientPath === undefined) throw error;
    throw new UnsupportedParameter(clientPath(error.param), error.message);
  }
}

class ComposedStream implements StreamTranslator {
  constructor(
    private readonly outer: StreamTranslator,
    private readonly inner: StreamTranslator,
  ) {}

  push(event: StreamEvent): string {
    return this.pushed(this.inner.push(event));
  }

  end(): string {
    return this.pushed(this.inner.end()) + this.outer.end();
  }

  private pushed(events: string): string {
    return eventsIn(events)
      .map((event) => this.outer.push(event))
      .join('');
  }
}
