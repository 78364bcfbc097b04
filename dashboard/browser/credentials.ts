// An API token that somebody typed in place of a session. It lives as long as the tab, and is the page's only secret: with a session
// cookie there is none that a script could read.
import { attempt } from "./attempt.ts";
import { API_TOKEN_KEY as KEY } from "./storage-keys.ts";

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
