#!/usr/bin/env bash
# Installs what the tests in the VM need beside make, git and Go, and fetches the kernel that it boots.
set -euo pipefail
here=$(dirname "$0")

# The machine, and what it starts with.
machine="qemu-system-x86 busybox-static"
# The VM's root is the host's, so what its tests call is installed here: modules, disks, file systems.
tools="kmod util-linux fdisk parted e2fsprogs xfsprogs lvm2 iproute2 fio"
# What a VM with systemd as PID 1 needs.
init="systemd udev"
# What the kernel's package is unpacked with.
unpack="dpkg xz-utils"

# shellcheck disable=SC2086 # lists of words
"$here/install-packages.sh" $machine $tools $init $unpack
exec "$here/vm/fetch-kernel.sh" "$here/../.cache/vm/kernel"
