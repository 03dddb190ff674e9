# The boot: everything is where it belongs, or waits.
systemctl start remote-fs.target # it is on its way; this waits for it
mountpoint -q /srv || fail "fstab's file system is not mounted"
udevadm settle
for i in 0 1 2; do
	link "/dev/hawser/vol$i" "$(node "vol$i")"
done
identity=$(sed 's/^hawser:vol0:naa\.//' "/sys/block/$(basename "$(node vol0)")/backend")
link "/dev/disk/by-id/hawser-naa.$identity" "$(node vol0)"
link "/dev/disk/by-id/wwn-0x$identity" "$(node vol0)"
link "/dev/disk/by-uuid/$uuid" "$(node vol0)"
link /dev/hawser/vol1-part1 "$(node vol1)p1"

status=$(hawser status --json)
for fact in '"io_flusher": true' '"locked": true' '"oom_score_adj": -1000'; do
	case $status in
	*"$fact"*) ;;
	*) fail "the daemon has not $fact: $status" ;;
	esac
done

# The group waits, though its physical volume has come, and comes once more.
active && fail "the volume group is active after the boot"
udevadm trigger --action=add --subsystem-match=block --settle
active && fail "the volume group is active after an event"
systemctl is-active --quiet "dev-hawser-vol1\x2dpart1.device" || fail "systemd does not know the physical volume"

# By hand.
vgchange -ay data
mount /dev/data/lv /later
umount /later
vgchange -an data
hawser detach vol1
udevadm settle
[ ! -e /dev/hawser/vol1 ] || fail "the name of a detached volume is left"
[ ! -e /dev/hawser/vol1-part1 ] || fail "the name of a detached partition is left"
hawser attach --name vol1 "$(url 1)"
link /dev/hawser/vol1 "$(node vol1)" # at once
udevadm settle
active && fail "the volume group is active after attach"

# Who writes notices neither a restart nor an accident of the daemon.
touch /run/write
while [ -e /run/write ]; do
	dd if=/dev/urandom of=/srv/written bs=64k count=16 conv=fsync status=none
done &
writer=$!
systemctl restart hawser
# Nor that it is stopped, and another one is started by hand meanwhile. systemd starts none beside that, and does not try again.
systemctl stop hawser
node vol0
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
systemctl kill --kill-whom=main --signal=KILL hawser
until [ "$(systemctl show -P NRestarts hawser)" = 1 ] && systemctl is-active --quiet hawser; do
	sleep 0.2
done
rm /run/write
wait $writer || fail "a write failed"
mountpoint -q /srv || fail "a restart has unmounted the file system"
dmesg | grep -E 'I/O error|EXT4-fs error' && fail "there was an error"
systemctl is-active --quiet hawser-shutdown || fail "a restart has stopped hawser-shutdown.service"
said=$(hawser daemon --replace 2>&1) && fail "systemd's daemon was replaced"
[[ $said = *"use 'systemctl restart hawser'" ]] || fail "no advice: $said"
scripts/packaging/uninstall.sh && fail "uninstall.sh does not mind attached volumes"
hawser detach vol0 && fail "a mounted volume was detached"

# What is left for the shutdown: fstab's, a group that its unit activates, and one that was activated and mounted by hand without a thought,
# and is in use.
systemctl start hawser-vg@data
mount -o _netdev /dev/data/lv /later
vgchange -ay byhand
mount /dev/byhand/lv /byhand
systemd-run --quiet --working-directory=/byhand sleep infinity
for dir in /srv /later /byhand; do
	echo "in $dir" >$dir/left
done
