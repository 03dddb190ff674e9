#!/usr/bin/env bash
# Installs what `make test` needs beside make, git and Go.
set -euo pipefail

# The race detector links with the C library.
compiler="gcc libc6-dev"
# NBD clients that the bridge is tested with.
clients="fio qemu-utils libnbd-bin"
# The iSCSI target it is tested against, and the checker that the embedded target is tested with.
peers="tgt libiscsi-bin"
# mkfs.ext4 for the image that is copied in and out; ip for what listens where.
system="e2fsprogs iproute2"
# What reads the manual pages.
manual="groff-base"

# shellcheck disable=SC2086 # lists of words
exec "$(dirname "$0")/install-packages.sh" $compiler $clients $peers $system $manual
