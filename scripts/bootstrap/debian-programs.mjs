// Tables: what labs need of Debian.
/** Program → Debian package. */
export const PROGRAMS = {
  ip: "iproute2",
  nft: "nftables",
  wg: "wireguard-tools",
  "wireguard-go": "wireguard-go",
  ping: "iputils-ping",
  fping: "fping",
  nsenter: "util-linux",
  unshare: "util-linux",
  mount: "mount",
  sysctl: "procps",
  conntrack: "conntrack",
  turnserver: "coturn",
  miniupnpd: "miniupnpd-nftables",
  tinyproxy: "tinyproxy-bin",
  iperf3: "iperf3",
  bird: "bird2",
  prometheus: "prometheus",
  shellcheck: "shellcheck",
  busybox: "busybox",
  curl: "curl",
  debootstrap: "debootstrap",
  "systemd-nspawn": "systemd-container",
};
/** What looks at pages: the browser, and letters for it to draw, which Debian only recommends. Programs, or files by their path. */
export const BROWSER = {
  chromium: "chromium",
  "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf": "fonts-dejavu-core",
};
/** In which the completion of commands is tried, beside bash. */
export const SHELLS = { zsh: "zsh", fish: "fish" };
/** What stands in front of a control plane with TLS. */
export const TLS_PROXIES = { caddy: "caddy", nginx: "nginx-light", openssl: "openssl" };
/** Packages that start a service of theirs; a lab starts these programs itself, and a person's machine shall serve nobody. */
export const SERVICES = {
  coturn: "coturn.service",
  iperf3: "iperf3.service",
  bird2: "bird.service",
  prometheus: "prometheus.service",
  tinc: "tinc.service",
  caddy: "caddy.service",
  "nginx-light": "nginx.service",
};
