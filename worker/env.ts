// What the platform gives the Worker. Vars and secrets are optional here: services.ts says what happens without them.

declare global {
  namespace Cloudflare {
    interface Env {
      readonly DB: D1Database;
      readonly ASSETS: Fetcher;
      readonly MESH: DurableObjectNamespace;
      readonly MACHINE: DurableObjectNamespace;
      readonly RELAY: DurableObjectNamespace;
      /** The owner's built-in API token. */
      readonly BECKET_OWNER_TOKEN?: string;
      /** The public origin, for a control plane behind a proxy that changes host or scheme: https://becket.example.org */
      readonly BECKET_ORIGIN?: string;
      /** The header that the platform in front sets to the client's address, and lets no client set. Without it, failures are not limited. */
      readonly BECKET_CLIENT_ADDRESS_HEADER?: string;
      /** host:port of STUN servers, comma separated; `none`: no server; left out: public ones. */
      readonly BECKET_STUN_SERVERS?: string;
      /** Set where the state was restored from a backup: schema/generation.ts. */
      readonly BECKET_GENERATION?: string;
      /** People's OpenID provider, and whom of it to let in: schema/oidc-settings.ts. */
      readonly BECKET_OIDC_ISSUER?: string;
      readonly BECKET_OIDC_CLIENT_ID?: string;
      readonly BECKET_OIDC_CLIENT_SECRET?: string;
      readonly BECKET_OIDC_NAME?: string;
      readonly BECKET_OIDC_SCOPES?: string;
      readonly BECKET_OIDC_ALLOWED_DOMAINS?: string;
      readonly BECKET_OIDC_ALLOWED_GROUPS?: string;
      readonly BECKET_OIDC_GROUPS_CLAIM?: string;
      readonly BECKET_OIDC_FIRST_OWNER?: string;
      /** error, warn, info (the default) or debug. */
      readonly BECKET_LOG_LEVEL?: string;
    }
  }
}

export type Env = Cloudflare.Env;
