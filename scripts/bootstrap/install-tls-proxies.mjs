// What only the scenario `proxies` needs of Debian.
import { installDebianPackages } from "./debian-packages.mjs";
import { TLS_PROXIES } from "./debian-programs.mjs";

await installDebianPackages({ withBrowser: false, others: TLS_PROXIES });
