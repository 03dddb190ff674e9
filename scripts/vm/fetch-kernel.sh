#!/usr/bin/env bash
# fetch-kernel.sh DIR
#
# Unpacks Debian's newest kernel 6.12 into DIR/VERSION, without installing it; does nothing when a kernel is
# there. Remove DIR to have a newer one.
set -euo pipefail

dir=$(realpath -m "$1")
# The last thing that is made: what is there without it was interrupted.
if compgen -G "$dir/*/complete" >/dev/null; then
	exit 0
fi

newest() {
	apt-cache pkgnames linux-image-6.12. |
		grep -E '^linux-image-6\.12\.[0-9]+\+deb[0-9]+-amd64-unsigned$' | sort -V | tail -n 1
}
mkdir -p "$dir"
# On the same file system, so that what is complete can be moved where it is looked for.
work=$(mktemp -d "$dir/.fetch-XXXXXX")
trap 'rm -rf "$work"' EXIT

fetch() {
	local package
	package=$(newest)
	if [ -z "$package" ]; then
		return 1
	fi
	echo "setup: fetching $package, which is unpacked in $dir and not installed"
	# As the one who runs this: apt's own user cannot write here.
	(cd "$work" && apt-get -q -o APT::Sandbox::User=root download "$package")
}
update() {
	if [ "$(id -u)" -eq 0 ]; then apt-get update -q; else sudo apt-get update -q; fi
}
# The lists may be missing or too old to fetch by.
if ! fetch && ! { update && fetch; }; then
	echo "setup: no package linux-image-6.12.*-amd64-unsigned can be fetched; Debian 12 has it, with its updates for security" >&2
	exit 1
fi

dpkg-deb -x "$work"/*.deb "$work/root"
rm "$work"/*.deb
version=$(basename "$work"/root/lib/modules/*)
# Once here, rather than at every modprobe in a VM that emulates its processor.
find "$work/root/lib/modules" -name '*.ko.xz' -print0 | xargs -0 -r -n 64 -P "$(nproc)" xz -d
/sbin/depmod -b "$work/root" "$version"
mv "$work/root/boot/vmlinuz-$version" "$work/root/vmlinuz"
mv "$work/root/lib/modules/$version" "$work/root/modules"
rm -rf "$work/root/boot" "$work/root/lib" "$work/root/usr"
touch "$work/root/complete"
rm -rf "${dir:?}/$version"
mv "$work/root" "$dir/$version"
