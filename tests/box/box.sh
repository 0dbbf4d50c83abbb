# A GX device in a box: busybox, daemontools, read-only root, /data, serial-starter, a bus; sourced by the tests of this folder (bash).
# Needs root for mount namespaces; everything that is mounted vanishes with the namespace.
# shellcheck shell=bash disable=SC2034
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_dir=$(cd "$here/../.." && pwd)
tools=${SB_TOOLS:?folder of bms-simulator and settings-service}
package=${SB_PACKAGES:?folder made by scripts/package}/dbus-serialbattery-${BOX_TARGET:-native}.tar.gz
home=/data/etc/dbus-serialbattery

skip() { echo "SKIPPED: $*"; exit 77; }
[ "$(id -u)" = 0 ] || skip "needs root, for mount namespaces"
for program in busybox svscan svc multilog unshare nsenter dbus-daemon dbus-send; do
  command -v "$program" >/dev/null || skip "$program is missing (packages busybox daemontools util-linux dbus)"
done
if ldd "$(command -v busybox)" >/dev/null 2>&1; then :; else skip "busybox must be Debian's package busybox: the static one has applets of other supervisors in its shell"; fi
[ -e "$package" ] || skip "$package is missing; scripts/package makes it"
unshare -m -p -f true 2>/dev/null || skip "this machine does not allow namespaces"

box=$(mktemp -d)
children=()
unshare_pid=

step() { printf '\n--- %s\n' "$*"; }
fail() {
  echo "FAILED: $*"
  box_show || true
  exit 1
}
# wait_for SECONDS TEXT COMMAND...: until it succeeds
wait_for() {
  local until=$((SECONDS + $1)) text=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt "$until" ] || fail "did not happen in time: $text"
    sleep 0.2
  done
  echo "ok: $text"
}
check() {  # TEXT COMMAND...
  local text=$1
  shift
  "$@" >/dev/null || fail "$text"
  echo "ok: $text"
}
check_not() {
  local text=$1
  shift
  if "$@" >/dev/null 2>&1; then fail "$text"; fi
  echo "ok: $text"
}

cleanup() {
  box_power_off
  for pid in "${children[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$box"
}
trap cleanup EXIT

# copy_program FILE...: a program of this machine with its libraries, to the same paths
copy_program() {
  local program file
  for program; do
    file=$(command -v "$program")
    mkdir -p "$box/root/usr/bin"
    cp -L "$file" "$box/root/usr/bin/"
    ldd "$file" | grep -o '/[^ ]*' | while read -r library; do
      mkdir -p "$box/root$(dirname "$library")"
      [ -e "$box/root$library" ] || cp -L "$library" "$box/root$library"
    done
  done
}

# box_root: a fresh root file system, as after a firmware update
box_root() {
  local applet
  rm -rf "$box/root"
  mkdir -p "$box"/root/{bin,etc/venus,proc,sys,dev,run,service,data,tmp} "$box"/root/var/{volatile,lock,tmp} \
    "$box"/root/opt/victronenergy/{service,service-templates,serial-starter}
  copy_program busybox svscan supervise svc svstat svok multilog tai64n tai64nlocal softlimit dbus-send bash
  mv "$box"/root/usr/bin/{busybox,bash} "$box/root/bin/"
  for applet in $(busybox --list); do
    case $applet in
      svc | svok | softlimit | timeout | busybox) ;;  # daemontools has its own; the device has no timeout
      *) ln -s /bin/busybox "$box/root/bin/$applet" ;;
    esac
  done
  ln -s /data/log "$box/root/var/log"
  echo v3.55 >"$box/root/opt/victronenergy/version"
  cp "$here/device/init.sh" "$box/root/etc/init.sh"
  cp "$here/device/serial-starter.sh" "$here/device/run-service.sh" "$here"/device/{stop,start}-tty.sh "$box/root/opt/victronenergy/serial-starter/"
  cat >"$box/root/etc/venus/serial-starter.conf" <<CONF
service gps       gps-dbus
service vedirect  vedirect-interface
alias   default   gps:vedirect
alias   rs485     cgwacs:fzsonick:imt:modbus
include /data/conf/serial-starter.d
CONF
  box_template gps-dbus
  box_template vedirect-interface
  mkdir -p "$box"/root/opt/victronenergy/service/serial-starter/log
  printf '#!/bin/sh\nexec /bin/sh /opt/victronenergy/serial-starter/serial-starter.sh\n' >"$box/root/opt/victronenergy/service/serial-starter/run"
  printf '#!/bin/sh\nexec multilog t s25000 n4 /var/log/serial-starter\n' >"$box/root/opt/victronenergy/service/serial-starter/log/run"
  chmod +x "$box"/root/opt/victronenergy/service/serial-starter/{run,log/run}
}

# box_template NAME: a driver of Victron that looks at the port for a moment and leaves
box_template() {
  local dir=$box/root/opt/victronenergy/service-templates/$1
  mkdir -p "$dir/log"
  cat >"$dir/run" <<'RUN'
#!/bin/sh
exec 2>&1
tty=TTY
sleep 1
rm -f /var/lock/serial-starter/$tty
exit 129
RUN
  printf '#!/bin/sh\nexec multilog t s25000 n4 /var/log/%s.TTY\n' "$1" >"$dir/log/run"
  touch "$dir/down" "$dir/log/down"
  chmod +x "$dir/run" "$dir/log/run"
}

# bus_new: a private bus with a settings service, for the box and for this script; what $box/settings.json holds is stored already
bus_new() {
  cat >"$box/bus.conf" <<CONF
<busconfig><listen>unix:path=$box/bus.sock</listen><auth>EXTERNAL</auth><policy context="default">
<allow own="*"/><allow send_destination="*" eavesdrop="true"/><allow receive_sender="*"/><allow send_type="method_call"/></policy></busconfig>
CONF
  dbus-daemon --config-file="$box/bus.conf" --nofork --nopidfile 2>"$box/bus.log" &
  children+=($!)
  wait_for 10 "the bus is there" test -S "$box/bus.sock"
  export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$box/bus.sock
  if [ -x "$tools/settings-service" ]; then
    "$tools/settings-service" --file "$box/settings.json" </dev/null >"$box/settings.log" 2>&1 &
    children+=($!)
  fi
}

# box_new: an empty device with its bus; not booted
box_new() {
  mkdir -p "$box"/{live,ports,data/{etc,apps,log,conf,var/lib/serial-starter}}
  box_root
  bus_new
}

box_power_on() {
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin setsid unshare -m -p -f --kill-child bash "$here/boot.sh" "$box" >>"$box/boot.out" 2>&1 &
  unshare_pid=$!
  wait_for 20 "the box has booted" inside test -e /run/booted
}
box_power_off() {
  [ -z "$unshare_pid" ] || kill -KILL "$unshare_pid" 2>/dev/null || true
  [ -z "$unshare_pid" ] || wait "$unshare_pid" 2>/dev/null || true
  unshare_pid=
}
# box_reboot: what was written to the root file system stays
box_reboot() {
  rm -rf "$box/root.kept"
  in_mounts cp -ax "$box/live" "$box/root.kept"
  box_power_off
  rm -rf "$box/root"
  mv "$box/root.kept" "$box/root"
  box_power_on
}
# box_update_firmware: another root file system, /data as it was
box_update_firmware() {
  box_power_off
  box_root
  echo v3.60 >"$box/root/opt/victronenergy/version"
  box_power_on
}

init_pid() { pgrep -P "$unshare_pid"; }
# inside COMMAND...: runs it on the device
inside() {
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin nsenter -t "$(init_pid)" -m -p chroot "$box/live" /bin/sh -c 'export PATH=/usr/sbin:/usr/bin:/sbin:/bin; exec "$@"' sh "$@"
}
inside_sh() { inside sh -c "$1"; }
# in_mounts COMMAND...: in the device's mount namespace, but with the programs of this machine
in_mounts() { nsenter -t "$(init_pid)" -m "$@"; }

# plug TTY PTY, unplug TTY: what udev does
plug() {
  echo "$2" >"$box/ports/$1"
  [ -z "$unshare_pid" ] || in_mounts sh -c "ln -sfn $2 $box/live/dev/$1 && ln -sfn /dev/$1 $box/live/dev/serial-starter/$1"
}
unplug() {
  rm -f "$box/ports/$1"
  in_mounts rm -f "$box/live/dev/serial-starter/$1" "$box/live/dev/$1"
}

bus() { dbus-send --bus="$DBUS_SYSTEM_BUS_ADDRESS" --print-reply=literal "$@"; }
# on_bus NAME: NAME is what comes after com.victronenergy.battery, for instance ttyUSB0
on_bus() { bus --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner "string:com.victronenergy.battery.$1" 2>/dev/null | grep -q true; }
off_bus() { ! on_bus "$1"; }
# bus_value NAME PATH: the value alone
bus_value() { bus "--dest=com.victronenergy.battery.$1" "$2" com.victronenergy.BusItem.GetValue | awk '{ print $NF }'; }
is_number() { [[ $1 =~ ^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$ ]]; }
# has_voltage NAME: the battery is served and was read
has_voltage() { is_number "$(bus_value "$1" /Dc/0/Voltage 2>/dev/null)"; }
# pid_of SERVICE: of the program, as seen in the box
pid_of() { inside cat "/service/$1/pid"; }

# adapter NAME BMS-TYPE: a BMS behind a serial adapter; its control socket is $box/NAME.control
adapter() {
  "$tools/bms-simulator" --type "$2" --link "$box/$1" --control "$box/$1.control" </dev/null >"$box/$1.log" 2>&1 &
  children+=($!)
  wait_for 20 "simulated $2 is there" test -L "$box/$1"
}
pty() { readlink -f "$box/$1"; }

# unpack_package: the archive as a user would copy it to the device
unpack_package() {
  mkdir -p "$box/data/new"
  tar -xzf "$package" -C "$box/data/new"
}

box_show() {
  echo "--- state of the box"
  cat "$box/boot.out" 2>/dev/null || true
  for log in "$box"/data/log/*/current; do
    [ -e "$log" ] || continue
    echo "--- ${log#"$box"}"
    tail -n 40 "$log" | tai64nlocal
  done
  if [ "$unshare_pid" ]; then inside sh -c 'svstat /service/*; ls -l /var/lock/serial-starter /dev/serial-starter; cat /data/rc.local; ps' || true; fi
}
