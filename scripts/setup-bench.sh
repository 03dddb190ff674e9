#!/usr/bin/env bash
# Installs what `make bench` needs: the load (fio), the peer (qemu-nbd with its iSCSI driver) and taskset.
set -euo pipefail
exec "$(dirname "$0")/install-packages.sh" fio qemu-utils qemu-block-extra util-linux
