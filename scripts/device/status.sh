#!/bin/sh
# Shows what the driver does: per port the program that serial-starter tries first, who holds the port, the state of the service, the
# name on D-Bus, and the last lines of the log.
home=$(cd "$(dirname "$0")" && pwd -P)
# shellcheck source=scripts/device/common.sh
. "$home/common.sh"

say "Program      $home, $("$home/dbus-serialbattery" --version 2>&1)"
say "Venus OS     $(head -n 1 /opt/victronenergy/version 2>/dev/null)"
if [ -d "$template" ] && [ ! -L "$template" ]; then say "Template     present"; else say "Template     MISSING, run enable.sh"; fi
if [ -e "$starter_conf/dbus-serialbattery.conf" ]; then say "Serial ports searched"; else say "Serial ports not searched"; fi
if grep -qxF "$rc_line" "$rc_local" 2>/dev/null; then say "At boot      started by $rc_local"; else say "At boot      NOT STARTED, run enable.sh"; fi

names=$(dbus-send --system --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.ListNames 2>/dev/null | sed -n 's/.*"\(com\.victronenergy\.battery\..*\)".*/\1/p')

# show_service NAME: state and end of the log
show_service() {
  say "  service      $(svstat "/service/$1" 2>&1 | sed 's/^[^:]*: //')"
  log=/var/log/$1/current
  if [ -e "$log" ]; then
    say "  last lines of $log:"
    tail -n 8 "$log" | tai64nlocal | sed 's/^/    /'
  fi
}

for link in /dev/serial-starter/* /service/dbus-serialbattery.*; do
  [ -e "$link" ] || continue
  case $link in
    /service/*) port=${link##*/dbus-serialbattery.} ;;
    *) port=${link##*/} ;;
  esac
  case " $seen " in *" $port "*) continue ;; esac
  seen="$seen $port"
  say ""
  say "$port"
  if [ -e "/dev/$port" ]; then :; else say "  adapter      not plugged in"; fi
  say "  tried first  $(cat "$starter_cache/$port" 2>/dev/null || echo nothing yet)"
  if [ -L "/var/lock/serial-starter/$port" ]; then
    say "  held by      process $(readlink "/var/lock/serial-starter/$port")"
  else
    say "  held by      nobody"
  fi
  name=$(echo "$names" | grep -E "\.$port(__.*)?\$" | tr '\n' ' ')
  say "  on D-Bus     ${name:-no battery}"
  if [ -e "/service/dbus-serialbattery.$port" ]; then show_service "dbus-serialbattery.$port"; fi
done
for service in $(other_services); do
  say ""
  say "$service"
  show_service "$service"
done
exit 0
