// An API token that somebody typed in place of a session. It lives as long as the tab, and is the page's only secret: with a session
// cookie there is none that a script could read.
const KEY = "becket.api-token";

export interface Credentials {
  read(): string | null;
  write(token: string): void;
  clear(): void;
}

export function createCredentials(): Credentials {
  let token = attempt(() => sessionStorage.getItem(KEY)) ?? null;
  return {
    read: () => token,
    write(next) {
      token = next;
      attempt(() => sessionStorage.setItem(KEY, next));
    },
    clear() {
      token = null;
      attempt(() => sessionStorage.removeItem(KEY));
    },
  };
}

/** Storage may be forbidden: then a reload asks again. */
function attempt<T>(use: () => T): T | null {
  try {
    return use();
  } catch {
    return null;
  }
}
