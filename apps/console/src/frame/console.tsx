import {
  ActionIcon,
  AppShell,
  Badge,
  Burger,
  Button,
  Group,
  Loader,
  NavLink,
  ScrollArea,
  Stack,
  Text,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Suspense } from 'react';
import { Link, Navigate, Route, Routes, useLocation } from 'react-router';
import { useSession, useSessionState } from '../api/session';
import { ErrorBoundary } from './error-boundary';
import { isShownTo, pages } from './pages';
import { SignIn } from './sign-in';

/** The page of sign-in, or the frame with the pages that the session's scopes allow. */
export function Console() {
  const { session } = useSessionState();
  return session === undefined ? <SignIn /> : <Frame />;
}

function Frame() {
  const session = useSession();
  const { pathname } = useLocation();
  const [isMenuOpen, menu] = useDisclosure();
  const allowed = pages.filter((page) => isShownTo(session, page));
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 200, breakpoint: 'sm', collapsed: { mobile: !isMenuOpen } }}
      padding="md"
    >
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger
              opened={isMenuOpen}
              onClick={menu.toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label={isMenuOpen ? 'Close the menu' : 'Open the menu'}
            />
            <Text component={Link} to="/" fw={700} size="lg" c="inherit" td="none">
              Tenkey
            </Text>
          </Group>
          <WhoIsSignedIn />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs">
        <AppShell.Section grow component={ScrollArea}>
          <nav aria-label="Pages">
            {allowed
              .filter(({ label }) => label !== undefined)
              .map(({ path, label }) => (
                <NavLink
                  key={path}
                  component={Link}
                  to={path}
                  label={label}
                  active={path === '/' ? pathname === '/' : pathname.startsWith(path)}
                  aria-current={pathname === path ? 'page' : undefined}
                  onClick={menu.close}
                />
              ))}
          </nav>
        </AppShell.Section>
        <AppShell.Section>
          <NavLink
            component="a"
            href="docs"
            target="_blank"
            rel="noreferrer"
            label="API documentation"
            c="dimmed"
          />
        </AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main>
        <ErrorBoundary key={pathname}>
          <Suspense fallback={<Loader aria-label="Loading" />}>
            <Routes>
              {allowed.map(({ path, Page }) => (
                <Route key={path} path={path} element={<Page />} />
              ))}
              <Route path="*" element={<Navigate to="/" replace />} />
            </Routes>
          </Suspense>
        </ErrorBoundary>
      </AppShell.Main>
    </AppShell>
  );
}

function WhoIsSignedIn() {
  const { signOut } = useSessionState();
  const { actor, super: isSuper, tenant_ids: tenantIds } = useSession();
  const { setColorScheme } = useMantineColorScheme();
  const isDark = useComputedColorScheme('light') === 'dark';
  return (
    <Group gap="xs" wrap="nowrap">
      <Stack gap={0} align="flex-end" visibleFrom="xs">
        <Text size="xs" c="dimmed">
          Signed in with
        </Text>
        <Text size="sm" truncate maw={260} title={actor}>
          {isSuper ? 'the super key' : actor.replace(/^sysadmin-key /, '').replace(/ \S+$/, '')}
        </Text>
      </Stack>
      {tenantIds !== null && (
        <Badge color="gray" variant="light" visibleFrom="sm">
          {tenantIds.length === 1 ? '1 tenant' : `${tenantIds.length} tenants`}
        </Badge>
      )}
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={isDark ? 'Use light colours' : 'Use dark colours'}
        onClick={() => setColorScheme(isDark ? 'light' : 'dark')}
      >
        {isDark ? '☀' : '☾'}
      </ActionIcon>
      <Button size="compact-sm" variant="default" onClick={() => void signOut()}>
        Sign out
      </Button>
    </Group>
  );
}
