import '@mantine/core/styles.layer.css';
import './console.css';
import { MantineProvider } from '@mantine/core';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { HashRouter } from 'react-router';
import { pollWhileInUse } from './api/polling';
import { findSession, SessionProvider } from './api/session';
import { Console } from './frame/console';
import { ErrorBoundary } from './frame/error-boundary';
import { theme } from './frame/theme';

/** The Content-Security-Policy lets only this response's nonce add style sheets. */
const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';
// `getStyleNonce` reaches only Mantine's own style sheets. Its dialogs stop the page behind them from scrolling with
// react-remove-scroll, which adds another one and takes the nonce from here.
Object.assign(globalThis, { __webpack_nonce__: nonce });

pollWhileInUse();
const found = findSession();
const page = document.getElementById('console');
if (page !== null) {
  createRoot(page).render(
    <StrictMode>
      <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => nonce}>
        <ErrorBoundary>
          <SessionProvider found={found}>
            {/* Filters are in the address. In a transition, a field that shows one would lose letters that are typed fast. */}
            <HashRouter useTransitions={false}>
              <Console />
            </HashRouter>
          </SessionProvider>
        </ErrorBoundary>
      </MantineProvider>
    </StrictMode>,
  );
}
