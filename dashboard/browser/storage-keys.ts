/** An API token that somebody typed in place of a session: in the tab's storage. */
export const API_TOKEN_KEY = "becket.api-token";
export const THEME_KEY = "becket.theme";
