#!/bin/sh
# Installs, upgrades or removes the Becket agent on this machine. Served by a control plane, which fills its own address in:
#
#   (echo BECKET_TOKEN=bkj_... && curl -fsSL https://becket.example.org/install.sh) | sudo sh
#
# Everything below is functions and constants; the last line calls `main`. A download that was cut off runs nothing.

# What is installed: filled in by the control plane and by the build.
ORIGIN='@ORIGIN@'
VERSION='@VERSION@'
AGENT_FILE='@AGENT_FILE@'
AGENT_SHA256='@AGENT_SHA256@'
NODE_AT_LEAST='@NODE_AT_LEAST@'
NODE_VERSION='@NODE_VERSION@'
NODE_SHA256_X64='@NODE_SHA256_X64@'
NODE_SHA256_ARM64='@NODE_SHA256_ARM64@'

# Where things are. BECKET_ROOT is for tests: a folder in the place of /.
ROOT=${BECKET_ROOT-}
LIBRARY=/usr/local/lib/becket
PROGRAM=/usr/local/bin/becket
STATE=/var/lib/becket
SETTINGS=/etc/default/becket
UNIT=/etc/systemd/system/becket.service
UPGRADE_UNIT=/etc/systemd/system/becket-upgrade.service
UPGRADE_PATH=/etc/systemd/system/becket-upgrade.path
OPENRC_SCRIPT=/etc/init.d/becket
SUPERVISED=$LIBRARY/supervised
LOG=/var/log/becket.log
UPGRADE_LOG=/var/log/becket-upgrade.log
# The authorities of BECKET_CA_FILE, kept for the agent and for upgrades.
AUTHORITIES=$LIBRARY/ca.pem
# What this script did to the machine beyond these files, so that it can be undone.
RECORD=$LIBRARY/installed
# Files as they were when the agent last ran, while an upgrade goes on.
BEFORE=$LIBRARY/before

print_help() {
  cat <<HELP
Installs the Becket agent $VERSION of $ORIGIN, or upgrades it.

  (echo BECKET_TOKEN=bkj_... && curl -fsSL $ORIGIN/install.sh) | sudo sh     install, and join
  curl -fsSL $ORIGIN/install.sh | sudo sh                                    upgrade a machine that has joined
  sudo sh $LIBRARY/install.sh --uninstall                          remove everything again

Options:
  --uninstall   take the machine out of its meshes; remove the agent, its state, and the packages that this script installed and nobody else uses
  --upgrade     carry out the upgrade that the control plane ordered, if BECKET_ALLOW_UPGRADES=yes; for becket-upgrade.service
  --begin-upgrade
                the same in the background; for OpenRC
  --help        this text

Environment:
  BECKET_TOKEN            the join token; needed until the machine has joined
  BECKET_TOKEN_FILE       a file that holds it, instead
  BECKET_NODE_MIRROR      where Node.js comes from when the distribution's is older than $NODE_AT_LEAST (https://nodejs.org/dist)
  BECKET_NODE_VERSION, BECKET_NODE_SHA256
                          another build than v$NODE_VERSION, and the SHA-256 of its .tar.gz; both or none
  BECKET_CA_FILE          certificates (PEM) of more authorities to trust: the control plane's own, where it has none that everybody trusts.
                          They are kept in $AUTHORITIES
  BECKET_KEEP_PACKAGES    1: --uninstall leaves packages where they are
  BECKET_ENDPOINTS, BECKET_STUN_SERVERS, BECKET_LOG_LEVEL, BECKET_METRICS, BECKET_ALLOW_EXEC_CHECKS, BECKET_ALLOW_UPGRADES,
  HTTPS_PROXY, HTTP_PROXY, NO_PROXY
                          the agent's own: kept in $SETTINGS, unless that is there already: then it says which it did not keep
HELP
}
