import { describe, expect, it } from "vitest";
import { parseOidcSettings } from "./oidc-settings.ts";

const MINIMUM = {
  BECKET_OIDC_ISSUER: "https://id.example.org",
  BECKET_OIDC_CLIENT_ID: "becket",
  BECKET_OIDC_ALLOWED_DOMAINS: "example.org",
};

describe("OIDC settings", () => {
  it("are none where nothing is set, or only empty texts are", () => {
    expect(parseOidcSettings({})).toEqual({ ok: true, value: null });
    expect(parseOidcSettings({ BECKET_OIDC_ISSUER: "", BECKET_OIDC_CLIENT_ID: " " })).toEqual({
      ok: true,
      value: null,
    });
  });

  it("need an issuer, a client and a rule, and have defaults for the rest", () => {
    expect(parseOidcSettings(MINIMUM)).toEqual({
      ok: true,
      value: {
        issuer: "https://id.example.org",
        clientId: "becket",
        clientSecret: null,
        name: "id.example.org",
        scopes: ["openid", "email", "profile"],
        admission: { domains: ["example.org"], groups: null, groupsClaim: "groups", firstOwner: null },
      },
    });
  });

  it("take lists with spaces and in any case, and always ask for openid", () => {
    const parsed = parseOidcSettings({
      ...MINIMUM,
      BECKET_OIDC_ALLOWED_DOMAINS: " Example.org, example.COM ,",
      BECKET_OIDC_ALLOWED_GROUPS: "Admins,Network team",
      BECKET_OIDC_GROUPS_CLAIM: "roles",
      BECKET_OIDC_FIRST_OWNER: "Ann@Example.org",
      BECKET_OIDC_SCOPES: "email groups",
    });
    expect(parsed).toMatchObject({
      value: {
        scopes: ["openid", "email", "groups"],
        admission: {
          domains: ["example.org", "example.com"],
          groups: ["Admins", "Network team"],
          groupsClaim: "roles",
          firstOwner: "ann@example.org",
        },
      },
    });
  });

  it("let everybody in only when that is said", () => {
    const { BECKET_OIDC_ALLOWED_DOMAINS: _, ...open } = MINIMUM;
    expect(parseOidcSettings(open)).toMatchObject({
      ok: false,
      error: expect.stringContaining("must say who gets in"),
    });
    expect(parseOidcSettings({ ...open, BECKET_OIDC_ALLOWED_DOMAINS: "*" })).toMatchObject({
      value: { admission: { domains: null, groups: null } },
    });
  });

  it.each([
    "id.example.org",
    "http://id.example.org",
    "https://id.example.org?x=1",
    "https://user@id.example.org",
    "ftp://id.example.org",
    "http://127.0.0.1.example.org",
  ])("refuse the issuer %s", (issuer) => {
    const parsed = parseOidcSettings({ ...MINIMUM, BECKET_OIDC_ISSUER: issuer });
    expect(parsed).toMatchObject({ ok: false, error: expect.stringContaining("BECKET_OIDC_ISSUER") });
  });

  it.each(["http://127.0.0.1:9000", "http://localhost/realms/x", "http://[::1]:1"])(
    "take %s, which is loopback",
    (issuer) => {
      expect(parseOidcSettings({ ...MINIMUM, BECKET_OIDC_ISSUER: issuer })).toMatchObject({ value: { issuer } });
    },
  );

  it.each([
    [{ BECKET_OIDC_CLIENT_ID: "" }, "BECKET_OIDC_CLIENT_ID"],
    [{ BECKET_OIDC_ALLOWED_DOMAINS: "@example.org" }, "BECKET_OIDC_ALLOWED_DOMAINS"],
    [{ BECKET_OIDC_FIRST_OWNER: "ann" }, "BECKET_OIDC_FIRST_OWNER"],
    [{ BECKET_OIDC_ISSUER: "" }, "needs BECKET_OIDC_ISSUER"],
  ])("name the variable at fault: %j", (change, variable) => {
    expect(parseOidcSettings({ ...MINIMUM, ...change })).toMatchObject({
      ok: false,
      error: expect.stringContaining(variable),
    });
  });
});
