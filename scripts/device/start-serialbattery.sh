#!/bin/sh
# start-serialbattery.sh PORT: the usual start of a Victron serial program. Its run-service.sh takes the port from the first argument,
# offers `start`, and gives the port back to serial-starter when the program has ended.
home=$(dirname "$(readlink -f "$0")")
app=$home/dbus-serialbattery
library=/opt/victronenergy/serial-starter/run-service.sh
[ -e "$library" ] || exec "$app" "/dev/$1"
# shellcheck source=/dev/null
. "$library"
start "/dev/${tty:-$1}"
