#!/usr/bin/env bash
# install-packages.sh PACKAGE...
#
# Installs Debian packages, saying which before it does; does nothing when all are there. Services that
# come along (tgt's, for one) are neither started nor left enabled: the tests start what they need
# themselves, on loopback, and stop it.
set -euo pipefail

missing=()
for package in "$@"; do
	# "install ok installed", or a package that something else provides.
	if [ "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)" != "install ok installed" ]; then
		missing+=("$package")
	fi
done
if [ ${#missing[@]} -eq 0 ]; then
	exit 0
fi

if ! command -v apt-get >/dev/null; then
	echo "setup: these are missing, and there is no apt-get here to install them: ${missing[*]}" >&2
	exit 1
fi
root=()
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "setup: these are missing: ${missing[*]}; install them as root, or install sudo" >&2
		exit 1
	fi
	root=(sudo)
fi

echo "setup: installing with apt-get: ${missing[*]}"
echo "setup: no service that comes with them is started or left enabled"

# What is enabled at boot, one line per link: systemd's and System V's.
enabled() {
	{
		find /etc/systemd/system -path '*.wants/*' -type l || true
		find /etc/rc[2-5].d -name 'S*' || true
	} 2>/dev/null | LC_ALL=C sort
}

# invoke-rc.d asks this file before a package starts its service; 101 means no.
policy=/usr/sbin/policy-rc.d
before=$(mktemp)
enabled >"$before"
finish() {
	if [ -n "${policy_ours:-}" ]; then
		"${root[@]}" rm -f "$policy"
	fi
	rm -f "$before"
}
trap finish EXIT
if [ ! -e "$policy" ]; then
	policy_ours=yes
	printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null
	"${root[@]}" chmod 755 "$policy"
fi

install() {
	"${root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
		apt-get install -y -q --no-install-recommends "${missing[@]}"
}
# The lists may be missing or too old to fetch by.
install || { "${root[@]}" apt-get update -q && install; }

# Only what this run enabled is disabled: what the administrator had enabled stays.
enabled | LC_ALL=C comm -13 "$before" - |
	sed -E 's|.*/||; s|^S[0-9]+||; s|\.service$||' | sort -u |
	while read -r service; do
		echo "setup: disabling the service $service"
		if command -v systemctl >/dev/null; then
			"${root[@]}" systemctl disable --quiet "$service" 2>/dev/null || true
			if [ -d /run/systemd/system ]; then
				"${root[@]}" systemctl stop "$service" 2>/dev/null || true
			fi
		fi
		if [ -e "/etc/init.d/$service" ]; then
			"${root[@]}" update-rc.d "$service" disable
		fi
	done
still=$(enabled | LC_ALL=C comm -13 "$before" -)
if [ -n "$still" ]; then
	echo "setup: these are enabled now and were not before; disable them by hand:" >&2
	echo "$still" >&2
	exit 1
fi
