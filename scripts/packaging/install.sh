#!/usr/bin/env bash
# Installs what manifest.sh lists. It enables nothing and starts nothing: a daemon that is running goes on as it is, until
# `systemctl restart hawser`.
set -euo pipefail
. "$(dirname "$0")/manifest.sh"

if [ ! -x "$binary" ]; then
	echo "install: there is no program $binary: run 'make build' first" >&2
	exit 1
fi
text=$(mktemp)
trap 'rm -f "$text"' EXIT

manifest | while IFS=$'\t' read -r mode from to; do
	case $from in
	*.service | *.rules)
		sed "s|@PREFIX@|$prefix|g" "$from" >"$text"
		from=$text
		;;
	esac
	install -D -m "$mode" "$from" "$root$to"
done

# The program itself knows its completion. One that was built for another machine cannot say it here.
if "$binary" completion bash >"$text" 2>/dev/null; then
	install -D -m 644 "$text" "$root$completion"
fi

if live; then
	systemctl daemon-reload
	udevadm control --reload
	echo "install: nothing was enabled or started: see $prefix/share/doc/hawser/OPERATING.md"
fi
