#!/bin/sh
# enable.sh [--boot]: makes Venus OS start the driver: service template, serial-starter, rc.local, services for Bluetooth, CAN and MQTT.
# May be run at any time, changes only what has to change, and never disturbs a driver that runs unless its start files changed.
# rc.local runs it with --boot after each start of the device, which also repairs what a firmware update has removed.
home=$(cd "$(dirname "$0")" && pwd -P)
# shellcheck source=scripts/device/common.sh
. "$home/common.sh"

[ "$(id -u)" = 0 ] || die "please run this as root"
[ -d "$templates" ] || die "$templates is missing: this is not Venus OS 2.80 or later"

# An SFTP client may have lost the modes.
chmod 755 "$home"/*.sh "$home/dbus-serialbattery" "$home"/service/run "$home"/service/log/run "$home"/instance/run "$home"/instance/log/run
chmod 755 "$home"/*/bin/* "$home"/*/lib/ld-linux* 2>/dev/null

guard_starter
new=$(mktemp -d)
trap 'rm -rf "$new"; start_starter' EXIT

retire_others
if [ ! -e "$home/config.ini" ]; then printf '[DEFAULT]\n' >"$home/config.ini"; fi

# What the configuration asks for. If the program can not tell, serial ports are served and the rest stays as it is.
known=yes
wanted=$("$home/dbus-serialbattery" --list-services 2>/dev/null) || { known=; wanted=serial-starter; }

make_template "$new"
replaced=
if [ "$(root_leftovers)" ]; then
  with_writable /opt/victronenergy remove_leftovers
  replaced=yes
fi
if ! same_template "$new" "$template"; then
  with_writable "$templates" replace_template "$new" || die "the service template could not be written to $template"
  say "Service template written to $template."
  replaced=yes
fi

convert_single_conf
changed=
conf=$starter_conf/dbus-serialbattery.conf
if ! echo "$wanted" | grep -q '^serial-starter'; then
  if [ -e "$conf" ]; then rm -f "$conf"; changed=yes; fi
  say "SERIAL_STARTER_ENABLED is off: serial ports are not searched for batteries."
elif ! grep -qsE '^[[:space:]]*service[[:space:]]+sbattery[[:space:]]+dbus-serialbattery' "$conf"; then  # the user may have edited the lists
  mkdir -p "$starter_conf"
  cp "$home/serial-starter.d/dbus-serialbattery.conf" "$conf"
  chmod 644 "$conf"
  changed=yes
fi

add_rc_line
if [ "$known" ]; then create_services "$wanted"; fi

if [ "$1" != --boot ] && [ "$replaced" ] && [ "$(serial_services)" ]; then
  recycle_ports Restarting
elif [ "$changed" ]; then
  say "serial-starter reads its new configuration."
  stop_starter
fi
