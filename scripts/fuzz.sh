#!/usr/bin/env bash
# fuzz.sh DURATION: runs every fuzz target of the module in turn, each for DURATION (as go's -fuzztime).
set -euo pipefail
duration=$1
for package in $(go list ./...); do
	for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
		echo "fuzz: $package $target for $duration"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$duration" "$package"
	done
done
