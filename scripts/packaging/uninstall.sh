#!/usr/bin/env bash
# Removes what install.sh has put there, with the same PREFIX and DESTDIR. What hawser has learned and what was configured stays, in
# /var/lib/hawser and /etc/hawser. It refuses while a volume is attached, or root's daemon
# or another process of hawser's runs, whoever has started it.
set -euo pipefail
. "$(dirname "$0")/manifest.sh"

attached=$(grep -l '^hawser:' "$root"/sys/block/nbd*/backend 2>/dev/null | sed 's|.*/\(nbd[0-9]*\)/backend|/dev/\1|' || true)
if [ -n "$attached" ]; then
	echo "uninstall: these devices are attached; unmount and detach them first:" $attached >&2
	exit 1
fi
if live; then
	running=$(systemctl list-units --plain --no-legend --state active,activating,deactivating 'hawser.service' 'hawser@*' 'hawser-vg@*' | cut -d' ' -f1)
	if [ -n "$running" ]; then
		echo "uninstall: these run; stop them first, with systemctl disable --now:" $running >&2
		exit 1
	fi
fi
# Those that systemd did not start are known by their sockets: 10000 is the flag of one that somebody listens at.
serving=$(awk '$4 == "00010000" && $8 ~ "^/run/hawser/.*[.]sock$" { print $8 }' "$root/proc/net/unix" 2>/dev/null || true)
if [ -n "$serving" ]; then
	echo "uninstall: these are served by processes that systemd did not start; end those first, with kill; 'hawser status' tells their numbers:" $serving >&2
	exit 1
fi
if live; then
	systemctl disable --quiet hawser.service hawser@.service hawser-vg@.service 2>/dev/null || true
fi

manifest | while IFS=$'\t' read -r _ _ to; do
	rm -f "$root$to"
done
rm -f "$root$completion" "$root$manual"/hawser.1 "$root$manual"/hawser-*.1
rmdir "$root$prefix/share/doc/hawser" "$root$prefix/lib/hawser" 2>/dev/null || true

if live; then
	systemctl daemon-reload
	udevadm control --reload
fi
