// The frame around every page: where one can go, how the meshes are, who one is. A rail at the side, or bars on a phone.
import { Outlet } from "@tanstack/react-router";
import { MeProvider, useMe } from "../../api/session.ts";
import { LoadingState } from "../../components/states.tsx";
import { QueryError } from "../query-view.tsx";
import { BottomBar } from "./bottom-bar.tsx";
import { Brand } from "./brand.tsx";
import { LiveState } from "./live-state.tsx";
import { MeshHealthList } from "./mesh-health-list.tsx";
import { NavRail } from "./nav-rail.tsx";
import { ToSignIn } from "./to-sign-in.tsx";
import { UserMenu } from "./user-menu.tsx";

export function Shell() {
  const { data: me, error, refetch, isFetching } = useMe();
  if (me === undefined) {
    return (
      <div className="mx-auto max-w-xl px-4 py-24">
        {error ? (
          <QueryError error={error} onRetry={() => void refetch()} isRetrying={isFetching} />
        ) : (
          <LoadingState rows={3} />
        )}
      </div>
    );
  }
  if (me === null) return <ToSignIn />;
  return (
    <MeProvider value={me}>
      <a
        href="#main"
        className="sr-only z-50 rounded-md bg-raised px-3 py-2 shadow-raised focus:not-sr-only focus:fixed focus:top-3 focus:left-3"
      >
        Skip to the content
      </a>
      <div className="flex min-h-dvh flex-col lg:pl-60">
        <aside className="fixed inset-y-0 left-0 hidden w-60 flex-col border-line border-r bg-surface lg:flex">
          <div className="px-5 pt-5 pb-4">
            <Brand />
          </div>
          <NavRail permissions={me.permissions} />
          <MeshHealthList />
          <LiveState />
          <div className="border-line border-t p-2">
            <UserMenu side="top" align="start" isWide />
          </div>
        </aside>
        <header className="flex h-14 items-center justify-between border-line border-b bg-surface px-4 lg:hidden">
          <Brand />
          <UserMenu side="bottom" align="end" />
        </header>
        <main
          id="main"
          tabIndex={-1}
          className="w-full max-w-7xl flex-1 px-4 pt-5 pb-28 outline-none sm:px-6 lg:px-8 lg:pt-8 lg:pb-12"
        >
          <Outlet />
        </main>
        <BottomBar permissions={me.permissions} />
      </div>
    </MeProvider>
  );
}
