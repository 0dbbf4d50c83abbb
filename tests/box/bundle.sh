#!/bin/bash
# bundle.sh native | armhf | aarch64: the package in an empty root, where there is nothing but the package, /dev, /proc, /sys and the
# socket of the bus: it must find a JBD and two kinds of JK, serve them, load no library but its own, and leave on SIGTERM. Under QEMU for ARM.
# shellcheck source=tests/box/box.sh
BOX_TARGET=$1
. "$(dirname "$0")/box.sh"

emulator=()
case $BOX_TARGET in
  native) folder=$(uname -m) ;;
  armhf) folder=armhf emulator=(qemu-arm-static) ;;
  aarch64) folder=aarch64 emulator=(qemu-aarch64-static) ;;
esac
if [ ${#emulator[@]} -gt 0 ]; then
  command -v "${emulator[0]}" >/dev/null || skip "${emulator[0]} is missing (package qemu-user-static)"
fi

bus_new
ports=(ttyUSB0 ttyUSB1 ttyUSB2)
adapter ttyUSB0 LltJbd
adapter ttyUSB1 Jkbms_pb
adapter ttyUSB2 Jkbms

root=$box/root
mkdir -p "$root"/{data/etc,dev,proc,sys,run/dbus,bin}
tar -xzf "$package" -C "$root/data/etc"
if [ ${#emulator[@]} -gt 0 ]; then
  cp "$(command -v "${emulator[0]}")" "$root/bin/"
  emulator=("/bin/${emulator[0]}")
fi
bundle=$home/$folder
loader=$(cd "$root$bundle/lib" && echo ld-linux*)
start=("${emulator[@]}" "$bundle/lib/$loader" --library-path "$bundle/lib" --argv0 "$home/dbus-serialbattery" "$bundle/bin/dbus-serialbattery")

# in_empty_root COMMAND...: what the shell script `dbus-serialbattery` of the package does, without a shell
cat >"$box/enter.sh" <<'ENTER'
set -e
root=$1
box=$2
shift 2
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -o bind,ro /sys "$root/sys"
mount -t tmpfs ram "$root/dev"
for node in null zero random urandom; do
  touch "$root/dev/$node"
  mount --bind "/dev/$node" "$root/dev/$node"
done
mkdir "$root/dev/pts"
mount --rbind /dev/pts "$root/dev/pts"
for port in "$box"/ttyUSB?; do ln -s "$(readlink -f "$port")" "$root/dev/${port##*/}"; done
touch "$root/run/dbus/system_bus_socket"
mount --bind "$box/bus.sock" "$root/run/dbus/system_bus_socket"
exec chroot "$root" "$@"
ENTER
in_empty_root() { exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin unshare -m --propagation private sh "$box/enter.sh" "$root" "$box" "$@"; }

step "Version"
check "the program tells its version" grep -q '^dbus-serialbattery v' <(in_empty_root "${start[@]}" --version)

step "Three batteries"
for port in "${ports[@]}"; do
  in_empty_root "${start[@]}" "/dev/$port" >"$box/$port.out" 2>&1 &
  children+=($!)
  declare "pid_$port=$!"
done
box_show() { tail -n 60 "$box"/ttyUSB*.out "$box"/ttyUSB*.log; }
for port in "${ports[@]}"; do
  wait_for 90 "the battery on $port is on D-Bus" on_bus "$port"
  wait_for 30 "it has a voltage" has_voltage "$port"
  pid=pid_$port
  pid=${!pid}
  check "it is the process that was started" test -e "/proc/$pid/maps"
  # Anonymous memory and the kernel's own have no path; the emulator is not part of the package.
  foreign=$(awk '$6 ~ /^\// { print $6 }' "/proc/$pid/maps" | sort -u | grep -vE "$bundle/|/bin/qemu-|^/dev/zero" || true)
  check "it loaded only files of the package ($foreign)" test -z "$foreign"
done

step "Leaving"
for port in "${ports[@]}"; do
  pid=pid_$port
  pid=${!pid}
  kill -TERM "$pid"
  code=0
  wait "$pid" || code=$?
  check "exit code 0 after SIGTERM ($code)" test "$code" = 0
  wait_for 5 "the name is gone" off_bus "$port"
done
