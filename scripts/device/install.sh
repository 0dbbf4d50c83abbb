#!/bin/sh
# install.sh [--etc | --apps]: installs or updates the driver from the folder in which this file lies.
#   --etc   to /data/etc/dbus-serialbattery (the default)
#   --apps  to /data/apps/dbus-serialbattery
# Keeps config.ini. A Python driver is switched off and kept aside. No reboot is needed.
home=$(cd "$(dirname "$0")" && pwd -P)
# shellcheck source=scripts/device/common.sh
. "$home/common.sh"

[ "$(id -u)" = 0 ] || die "please run this as root"
[ -d "$templates" ] || die "$templates is missing: this is not Venus OS 2.80 or later"

source=$home
target=
for layout in $layouts; do  # an update goes where the driver is
  # Ended between the two renames below: the new folder holds the files of the user.
  if [ ! -e "$layout" ] && [ -d "$layout.new" ]; then mv "$layout.new" "$layout"; fi
  if [ -e "$layout/files" ]; then target=$layout; fi
done
case $1 in
  --etc) target=/data/etc/dbus-serialbattery ;;
  --apps) target=/data/apps/dbus-serialbattery ;;
  '') ;;
  *) die "unknown option $1" ;;
esac
for layout in $layouts; do  # unpacked in place
  if [ "$source" = "$layout" ]; then target=$source; fi
done
target=${target:-/data/etc/dbus-serialbattery}

version=$(sh "$source/dbus-serialbattery" --version) || die "the program does not run on this device ($(uname -m)); take the archive for it"

guard_starter
if [ "$source" != "$target" ]; then
  need=$(du -sk "$source" | sed 's/[^0-9].*//')
  free=$(df -kP /data | awk 'NR == 2 { print $4 }')
  [ "$free" -gt $((need + 2048)) ] || die "not enough space on /data: $((need + 2048)) kB are needed, $free kB are free"

  say "Installing $version to $target."
  trap '[ ! -e "$target" ] || rm -rf "$target.new"; start_starter' EXIT  # without a target the new folder holds the files of the user
  rm -rf "$target.new"
  mkdir -p "$target.new"
  cp -R "$source/." "$target.new/" || die "the files could not be copied"
  old=$target.old
  if is_python_driver "$target"; then
    stop_python_driver "$target"
    old=$target.python
  fi
  rm -rf "$old"
  if [ -d "$target" ]; then
    keep_user_files "$target" "$target.new"
    sync
    mv "$target" "$old"
  fi
  if ! mv "$target.new" "$target"; then
    mv "$old" "$target"
    die "the new files could not be put in place"
  fi
  sync
  rm -rf "$target.old"
fi

sh "$target/enable.sh" || exit 1
home=$target
recycle_ports Restarting
for service in $(other_services); do svc -t "/service/$service"; done
"$target/dbus-serialbattery" --check-config | grep 'not built into this version'  # batteries that a Python driver served
say "Done: $version. See what it does with: sh $target/status.sh"
