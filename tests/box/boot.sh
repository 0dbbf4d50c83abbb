#!/bin/bash
# boot.sh BOX: becomes a GX device in a box; to be started in a mount and process namespace of its own (box.sh does).
# The root file system is a read-only tmpfs, so that remounting it touches nothing of the machine; what was written to it while it was
# writable is kept by `box_reboot`.
set -e
box=$1
root=$box/live
mount --make-rprivate /
mount -t tmpfs -o mode=755 box-root "$root"
cp -a "$box/root/." "$root/"
mount --bind "$box/data" "$root/data"
for dir in run service var/volatile var/lock var/tmp tmp dev; do mount -t tmpfs -o mode=755 box-ram "$root/$dir"; done
mount -t proc proc "$root/proc"
for node in null zero random urandom tty; do
  touch "$root/dev/$node"
  mount --bind "/dev/$node" "$root/dev/$node"
done
mkdir -p "$root"/dev/{pts,serial-starter} "$root"/run/{dbus,media,udev-lists} "$root/var/volatile/services"
mount --rbind /dev/pts "$root/dev/pts"
touch "$root/run/dbus/system_bus_socket"
mount --bind "$box/bus.sock" "$root/run/dbus/system_bus_socket"
if [ -d "$box/usb" ]; then cp -R "$box/usb" "$root/run/media/usb"; fi
for port in "$box"/ports/*; do
  [ -e "$port" ] || continue
  ln -s "$(cat "$port")" "$root/dev/${port##*/}"
  ln -s "/dev/${port##*/}" "$root/dev/serial-starter/${port##*/}"
done
mount -o remount,ro "$root"
exec chroot "$root" /bin/sh /etc/init.sh
