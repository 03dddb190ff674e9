# The root, before systemd: hawser is installed in it, and its storage, which comes before it and goes after it. $share, $hawser,
# $source and $luns are set.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
cd "$source"
BINARY=$hawser DESTDIR=/ scripts/packaging/install.sh

cat >/etc/systemd/system/storage.service <<EOF
[Unit]
RequiresMountsFor=$share
DefaultDependencies=no
Conflicts=shutdown.target
Before=shutdown.target hawser.service

[Service]
ExecStart=$hawser target serve --listen 127.0.0.1:3260,127.0.0.2:3260 $luns

[Install]
WantedBy=hawser.service
EOF
systemctl --root=/ --quiet enable storage.service hawser.service remote-fs.target

# What a host keeps over a boot.
mkdir -p /var/lib/hawser /etc/hawser /srv /later /byhand
cp -r "$share"/kept/. /
