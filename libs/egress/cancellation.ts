import { Problem } from '#http';

/** Ends a call early: the client disconnects, or the service stops. A request has one (`request.tenkey`). */
export interface Cancellation {
  readonly isCancelled: boolean;
  /** Why the service ended the call; undefined: the client disconnected. */
  readonly cancelReason: Problem | undefined;
  /** Calls the listener when the call is cancelled, and at once if it is already. It replaces the earlier listener. */
  onCancel(listener: () => void): void;
}

/** The client closed the connection. Nothing failed, and there is no one to respond to. */
export class ClientDisconnected extends Error {
  override readonly name = 'ClientDisconnected';
  constructor() {
    super('the client closed the connection');
  }
}

export function cancelError({ cancelReason }: Cancellation): Problem | ClientDisconnected {
  return cancelReason ?? new ClientDisconnected();
}

/** Is cancelled when a signal is aborted, with the Problem that is its reason, or by `cancel`. */
export class SignalCancellation implements Cancellation {
  cancelReason: Problem | undefined;
  #isCancelled = false;
  #listener: (() => void) | undefined;

  constructor(signal: AbortSignal) {
    const abort = () => {
      this.cancelReason = signal.reason instanceof Problem ? signal.reason : undefined;
      this.cancel();
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  }

  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  onCancel(listener: () => void): void {
    this.#listener = listener;
    if (this.#isCancelled) listener();
  }

  cancel(): void {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    this.#listener?.();
  }
}
