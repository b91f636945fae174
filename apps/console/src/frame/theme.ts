import { createTheme, type ModalProps } from '@mantine/core';

// Without Modal.extend() and Drawer.extend(), so that only the pages with dialogs load them.
const dialog = {
  defaultProps: { closeButtonProps: { 'aria-label': 'Close' } } satisfies Partial<ModalProps>,
};

/** Fonts of the system only: the page loads nothing from elsewhere. */
export const theme = createTheme({
  primaryColor: 'cyan',
  primaryShade: 9,
  autoContrast: true,
  luminanceThreshold: 0.35,
  defaultRadius: 'md',
  fontFamily: 'system-ui, sans-serif',
  fontFamilyMonospace: 'ui-monospace, monospace',
  cursorType: 'pointer',
  components: {
    Drawer: dialog,
    Modal: dialog,
  },
});
