#!/bin/sh
# Restarts the driver on all ports, for instance after a change of config.ini. Takes about ten seconds.
home=$(cd "$(dirname "$0")" && pwd -P)
# shellcheck source=scripts/device/common.sh
. "$home/common.sh"

[ "$(id -u)" = 0 ] || die "please run this as root"
guard_starter

sh "$home/enable.sh"  # the configuration may name other services now
[ "$(serial_services)$(other_services)" ] || say "The driver runs on no port."
recycle_ports Restarting
for service in $(other_services); do
  say "Restarting $service."
  svc -t "/service/$service"
done
