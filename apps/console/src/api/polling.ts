import { focusManager } from '@tanstack/react-query';

/** Less than half of the 30 minutes after which a session ends that is not used. */
const IDLE_MS = 10 * 60_000;
/** A page may scroll on its own when its data changes, so `scroll` is no input. */
const inputs = ['pointerdown', 'pointermove', 'click', 'keydown', 'wheel', 'touchmove'];

/**
 * Lets pages poll only while somebody uses them. Each request extends the session, so that the session of a console that was left
 * open would never end. Polling stops when the tab is hidden or had no input for some minutes. It continues with the next input,
 * or when the tab is shown, and what is outdated by then is read at once.
 */
export function pollWhileInUse(): void {
  focusManager.setEventListener((setInUse) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const update = () => {
      const isVisible = document.visibilityState === 'visible';
      clearTimeout(timer);
      if (isVisible) timer = setTimeout(() => setInUse(false), IDLE_MS);
      setInUse(isVisible);
    };
    const listening = new AbortController();
    const options = { capture: true, passive: true, signal: listening.signal };
    for (const event of [...inputs, 'visibilitychange']) window.addEventListener(event, update, options);
    update();
    return () => {
      clearTimeout(timer);
      listening.abort();
    };
  });
}
