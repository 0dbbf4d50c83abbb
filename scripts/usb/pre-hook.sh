#!/bin/sh
# Venus OS runs this before it unpacks venus-data.tar.gz from a USB stick over /data. Makes room for the new driver: a Python driver in
# the same folder is kept aside with its configuration.
home=/data/etc/dbus-serialbattery
if [ -e "$home/dbus-serialbattery.py" ]; then
  rm -rf "$home.python"
  mv "$home" "$home.python"
  mkdir -p "$home"
  if [ -e "$home.python/config.ini" ]; then cp "$home.python/config.ini" "$home/"; fi
fi
exit 0
