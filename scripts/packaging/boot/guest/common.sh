# For both VMs.
set -euo pipefail
uuid=4d1f0000-1111-2222-3333-444455556666
target=iqn.2026-11.io.hawser:target

fail() {
	echo "FAILED: $*" >&2
	journalctl --no-pager --boot | tail -n 150 >&2
	exit 1
}

url() { echo "iscsi://127.0.0.1,127.0.0.2/$target/$1"; }

# node VOLUME: what the kernel calls it.
node() {
	local backend
	backend=$(grep -l "^hawser:$1:" /sys/block/nbd*/backend) || fail "there is no device of $1"
	backend=${backend%/backend}
	echo "/dev/${backend##*/}"
}

# link NAME NODE: the name leads to the node.
link() { [ "$(readlink -f "$1")" = "$2" ] || fail "$1 leads to $(readlink -f "$1"), and not to $2"; }

active() { [ -e /dev/mapper/data-lv ]; }
