#!/bin/sh
# Stand-in for Victron's stop-tty.sh PORT: takes the port away from serial-starter and from whatever runs on it.
for service in /service/*."$1"; do
  [ ! -e "$service" ] || svc -d "$service"
done
until ln -s $$ "/var/lock/serial-starter/$1" 2>/dev/null; do sleep 1; done
