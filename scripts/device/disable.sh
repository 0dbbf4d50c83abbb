#!/bin/sh
# Stops the driver and removes everything that makes Venus OS start it. The program, its configuration and its logs stay; enable.sh undoes this.
home=$(cd "$(dirname "$0")" && pwd -P)
# shellcheck source=scripts/device/common.sh
. "$home/common.sh"

[ "$(id -u)" = 0 ] || die "please run this as root"
guard_starter

remove_rc_lines
convert_single_conf
rm -f "$starter_conf/dbus-serialbattery.conf"
if [ "$(root_leftovers)" ]; then with_writable /opt/victronenergy remove_leftovers; fi
if [ -e "$template" ] || [ -L "$template" ]; then with_writable "$templates" remove_template; fi
recycle_ports Stopping
for service in $(other_services); do
  say "Removing $service."
  remove_service "$service"
done
stop_starter
start_starter
if [ "$1" != --for-uninstall ]; then say "The driver is disabled. To start it again: sh $home/enable.sh"; fi
