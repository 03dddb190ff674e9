# The first boot: volumes are attached, and get what the second shall find.
udevadm settle --timeout=900 # it is still at the boot, and here takes longer for that than attach has patience
for i in 0 1 2; do
	attach $i
done
mkfs.ext4 -q -U $uuid /dev/hawser/vol0
parted -s /dev/hawser/vol1 mklabel gpt mkpart primary 1MiB 60MiB
udevadm settle
vgcreate -qq -y data /dev/hawser/vol1-part1
vgcreate -qq -y byhand /dev/hawser/vol2
for group in data byhand; do
	lvcreate -qq -y -l 100%FREE -n lv $group
	mkfs.ext4 -q /dev/$group/lv
	vgchange -an $group
done

# To stop the daemon is not to detach.
systemctl stop hawser
node vol0
mkdir -p "$share/kept/var/lib" "$share/kept/etc"
cp -r /var/lib/hawser "$share/kept/var/lib"
cp -r /etc/hawser "$share/kept/etc"

# systemd starts no daemon beside another, and does not try again.
hawser daemon >/run/by-hand 2>/dev/null &
by_hand=$!
until grep -q ready /run/by-hand; do
	sleep 0.2
done
systemctl start hawser && fail "systemd has started a second daemon"
[ "$(systemctl is-failed hawser)" = failed ] || fail "systemd tries again, beside another daemon"
kill $by_hand
wait $by_hand || fail "the daemon that was started by hand failed"
systemctl start hawser

# systemd waits for a device for 90 s, from the begin of the boot, which is no time for this machine.
echo "UUID=$uuid /srv ext4 _netdev,x-systemd.device-timeout=15min 0 2" >"$share/kept/etc/fstab"
