# What is installed, for install.sh and uninstall.sh, which read this file. They take, from the environment or from make:
#
#	PREFIX    where hawser is at home; by default /usr/local
#	DESTDIR   a directory that is to become the root of a system; by default the root of this one
#	BINARY    the program; by default bin/hawser, as `make build` leaves it
prefix=${PREFIX:-/usr/local}
root=${DESTDIR:-}
here=$(cd "$(dirname "$0")" && pwd)
binary=${BINARY:-$here/../../bin/hawser}
completion=$prefix/share/bash-completion/completions/hawser
manual=$prefix/share/man/man1

# systemd and udev look for units and rules there, and nowhere else.
case $prefix in
/usr | /usr/local) system=$prefix/lib ;;
/*) system=/etc ;;
*)
	echo "PREFIX=$prefix is no absolute path" >&2
	exit 1
	;;
esac

# manifest writes a line for each file: its mode, where it comes from, and where it goes, between tabs.
manifest() {
	local f
	printf '%s\t%s\t%s\n' 755 "$binary" "$prefix/bin/hawser"
	for f in "$here"/systemd/*.service; do
		printf '%s\t%s\t%s\n' 644 "$f" "$system/systemd/system/${f##*/}"
	done
	for f in "$here"/udev/*.rules; do
		printf '%s\t%s\t%s\n' 644 "$f" "$system/udev/rules.d/${f##*/}"
	done
	printf '%s\t%s\t%s\n' 755 "$here/udev/hawser_id" "$prefix/lib/udev/hawser_id"
	printf '%s\t%s\t%s\n' 755 "$here/systemd/unmount" "$prefix/lib/hawser/unmount"
	printf '%s\t%s\t%s\n' 644 "$here/OPERATING.md" "$prefix/share/doc/hawser/OPERATING.md"
}

# live says whether what is installed is this system's own.
live() { [ -z "$root" ] && [ -d /run/systemd/system ]; }
