#!/bin/sh
# Venus OS runs this after it has unpacked venus-data.tar.gz from a USB stick over /data; $1 tells how that went.
home=/data/etc/dbus-serialbattery
[ "$1" = success ] || exit 1

# The archive holds the program for all machines; the others' take space that a small device does not have.
case $(uname -m) in
  aarch64) rm -rf "$home/armhf" ;;
  arm*) rm -rf "$home/aarch64" ;;
esac

# Supervision has not started yet at this point of the boot; from here on everything starts by itself.
sh "$home/enable.sh" --boot >"$home/boot.log" 2>&1
