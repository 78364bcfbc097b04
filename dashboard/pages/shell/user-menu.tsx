import { useNavigate } from "@tanstack/react-router";
import { BookOpen, ChevronsUpDown, LogOut, Monitor, MonitorSmartphone, Moon, Sun } from "lucide-react";
import { useState } from "react";
import { signOut } from "#schema/api/sign-in";
import { useCredentials, useForgetAll, useSignedIn } from "../../api/session.ts";
import { useClient } from "../../api/use-api.ts";
import { applyTheme, readTheme, type Theme } from "../../browser/theme.ts";
import { Menu, MenuChoice, MenuItem, MenuLabel, MenuSeparator } from "../../components/menu.tsx";
import { classNames } from "../../lib/class-names.ts";

const THEMES = [
  { value: "system", label: "As the system", icon: <Monitor aria-hidden /> },
  { value: "light", label: "Light", icon: <Sun aria-hidden /> },
  { value: "dark", label: "Dark", icon: <Moon aria-hidden /> },
] as const;

interface UserMenuProps {
  readonly side: "top" | "bottom";
  readonly align: "start" | "end";
  /** With the name beside the picture. */
  readonly isWide?: boolean;
}

export function UserMenu({ side, align, isWide = false }: UserMenuProps) {
  const { actor, role, user } = useSignedIn();
  const [theme, setTheme] = useState<Theme>(readTheme);
  const leave = useSignOut();
  const navigate = useNavigate();
  const name = user?.name ?? actor.name;
  const changeTheme = (next: Theme) => {
    applyTheme(next);
    setTheme(next);
  };
  const trigger = (
    <button
      type="button"
      className={classNames(
        "flex items-center gap-2.5 rounded-md text-left hover:bg-sunken",
        isWide ? "w-full px-2.5 py-2" : "rounded-full",
      )}
    >
      <span
        aria-hidden
        className="grid size-8 shrink-0 place-items-center rounded-full bg-accent-soft font-semibold text-accent text-sm uppercase"
      >
        {name.slice(0, 1)}
      </span>
      {!isWide && <span className="sr-only">{name}</span>}
      {isWide && (
        <>
          <span className="min-w-0 flex-1">
            <span className="block truncate font-medium">{name}</span>
            <span className="block text-muted text-xs">{role}</span>
          </span>
          <ChevronsUpDown aria-hidden className="size-4 text-faint" />
        </>
      )}
      <span className="sr-only">, account and theme</span>
    </button>
  );
  return (
    <Menu trigger={trigger} side={side} align={align}>
      <MenuLabel>
        <span className="block font-medium text-ink">{name}</span>
        <span className="block text-xs">{user?.email ?? role}</span>
      </MenuLabel>
      <MenuSeparator />
      <MenuChoice label="Theme" value={theme} options={THEMES} onChange={changeTheme} />
      <MenuSeparator />
      <MenuItem icon={<MonitorSmartphone aria-hidden />} onSelect={() => void navigate({ to: "/sessions" })}>
        Sessions
      </MenuItem>
      <MenuItem icon={<BookOpen aria-hidden />} onSelect={() => window.location.assign("/api/docs")}>
        API reference
      </MenuItem>
      <MenuItem icon={<LogOut aria-hidden />} onSelect={() => void leave()}>
        Sign out
      </MenuItem>
    </Menu>
  );
}

function useSignOut(): () => Promise<void> {
  const client = useClient();
  const credentials = useCredentials();
  const forgetAll = useForgetAll();
  const navigate = useNavigate();
  const { session } = useSignedIn();
  return async () => {
    // A token has no session to end: forgetting it is all.
    if (session !== null) await client.call(signOut, {});
    credentials.clear();
    await navigate({ to: "/sign-in", search: {} });
    await forgetAll();
  };
}
