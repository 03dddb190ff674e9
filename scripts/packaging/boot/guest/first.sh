# Before the boot: volumes are attached, and get what the boot shall find. That needs neither systemd nor udev, which take a minute to come.
hawser() { "$hawser" "$@"; }
fail() {
	echo "FAILED: $*" >&2
	exit 1
}

# shellcheck disable=SC2086 # words
"$hawser" target serve --listen 127.0.0.1:3260,127.0.0.2:3260 $luns >/run/storage &
until grep -q ready /run/storage; do
	sleep 0.2
done
"$hawser" daemon >/run/daemon &
daemon=$!
until grep -q ready /run/daemon; do
	sleep 0.2
done
for i in 0 1 2; do
	hawser attach --name "vol$i" "$(url $i)"
done

mkfs.ext4 -q -U $uuid "$(node vol0)"
parted -s "$(node vol1)" mklabel gpt mkpart primary 1MiB 60MiB
until [ -b "$(node vol1)p1" ]; do
	sleep 0.2
done
lvm() { command lvm "$@" --config 'activation{udev_sync=0 udev_rules=0} global{event_activation=0}'; }
lvm vgcreate -qq -y data "$(node vol1)p1"
lvm vgcreate -qq -y byhand "$(node vol2)"
for group in data byhand; do
	lvm lvcreate -qq -y -l 100%FREE -n lv $group
	mkfs.ext4 -q /dev/$group/lv
	lvm vgchange -an $group
done

# As at a shutdown.
hawser detach --all
kill $daemon
wait $daemon
mkdir -p "$share/kept/var/lib" "$share/kept/etc"
cp -r /var/lib/hawser "$share/kept/var/lib"
cp -r /etc/hawser "$share/kept/etc"

# systemd waits for a device for 90 s, from the begin of the boot, which is no time for this machine.
echo "UUID=$uuid /srv ext4 _netdev,x-systemd.device-timeout=15min 0 2" >"$share/kept/etc/fstab"
