#!/bin/sh
# Venus OS runs this before it unpacks venus-data.tar.gz from a USB stick over /data. Makes room for the new driver: a Python driver in
# the same folder is kept aside, and its configuration taken over; the latter also when a power cut came between the two.
home=/data/etc/dbus-serialbattery
if [ -e "$home/dbus-serialbattery.py" ]; then
  rm -rf "$home.python"
  mv "$home" "$home.python"
fi
if [ -e "$home.python/config.ini" ] && [ ! -e "$home/config.ini" ]; then
  mkdir -p "$home"
  cp "$home.python/config.ini" "$home/"
fi
exit 0
