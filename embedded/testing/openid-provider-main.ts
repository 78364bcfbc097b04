// The OpenID provider as a program, for control planes that run elsewhere than the test. It says when it listens.
//
//   node openid-provider-main.ts PORT CLIENT-ID CLIENT-SECRET REDIRECT-URI
import { createServer } from "node:http";
import { ANN, createOpenIdProvider } from "./create-openid-provider.ts";

const [port, id = "", secret = "", redirectUri = ""] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
createServer(createOpenIdProvider({ issuer, client: { id, secret, redirectUri }, readPerson: () => ANN })).listen(
  Number(port),
  "127.0.0.1",
  () => console.log("listening"),
);
