#!/usr/bin/env bash
# Installs what manifest.sh lists. It enables nothing and starts nothing: a daemon that is running goes on as it is, until
# `systemctl restart hawser`.
set -euo pipefail
. "$(dirname "$0")/manifest.sh"

if [ ! -x "$binary" ]; then
	echo "install: there is no program $binary: run 'make build' first" >&2
	exit 1
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

manifest | while IFS=$'\t' read -r mode from to; do
	case $from in
	*.service | *.rules)
		sed "s|@PREFIX@|$prefix|g" "$from" >"$tmp/text"
		from=$tmp/text
		;;
	esac
	install -D -m "$mode" "$from" "$root$to"
done

# The program itself knows its completion and its manual. One that was built for another machine cannot say them here.
if "$binary" version >/dev/null 2>&1; then
	"$binary" completion bash >"$tmp/text"
	install -D -m 644 "$tmp/text" "$root$completion"
	mkdir "$tmp/man"
	"$binary" man "$tmp/man"
	install -D -m 644 -t "$root$manual" "$tmp"/man/*
else
	echo "install: $binary does not run here, so its manual and its completion are not installed" >&2
fi

if live; then
	systemctl daemon-reload
	udevadm control --reload
	echo "install: nothing was enabled or started: see $prefix/share/doc/hawser/OPERATING.md"
fi
