#!/bin/sh
# uninstall.sh [--yes] [--restore-python]: disables the driver, then deletes program and logs after a question (none with --yes).
# config.ini stays in the folder, and so do the entries in the device's settings (name, VRM instance, history).
#   --restore-python  brings back the Python driver that was there before
home=$(cd "$(dirname "$0")" && pwd -P)
# shellcheck source=scripts/device/common.sh
. "$home/common.sh"

yes=
python=
for option; do
  case $option in
    --yes) yes=yes ;;
    --restore-python) python=yes ;;
    *) die "unknown option $option" ;;
  esac
done
if [ "$python" ]; then
  previous=
  for layout in $layouts; do
    if [ -d "$layout.python" ]; then previous=$layout; fi
  done
  [ "$previous" ] || die "there is no Python driver to bring back"
fi

sh "$home/disable.sh" --for-uninstall || exit 1

if [ -z "$yes" ]; then
  printf 'Delete the program in %s and its logs? config.ini is kept. [y/N] ' "$home"
  read -r answer
  case $answer in y | Y | yes) yes=yes ;; esac
fi
trap '' HUP  # a lost SSH connection does not end it half-way
if [ "$yes" ]; then
  cd /
  for item in "$home"/*; do
    [ "${item##*/}" = config.ini ] || rm -rf "$item"
  done
  rm -rf "$home.new" "$home.old"  # of an update that a power cut ended
  rm -rf /data/log/dbus-serialbattery.* /data/log/dbus-blebattery.* /data/log/dbus-canbattery.* /data/log/dbus-mqttbattery /data/log/dbus-spibattery.*
  say "Deleted. The configuration is still in $home/config.ini"
fi

if [ "$python" ]; then
  if [ "$previous" = "$home" ]; then
    [ "$yes" ] || die "the Python driver was in the same folder; it can come back only when this program is deleted"
    cp "$home/config.ini" "$previous.python/config.ini"
    rm -rf "$previous"
  elif [ -e "$home/config.ini" ]; then
    cp "$home/config.ini" "$previous.python/config.ini"
  fi
  mv "$previous.python" "$previous"
  for start in enable.sh reinstall-local.sh reinstalllocal.sh; do
    if [ -e "$previous/$start" ]; then
      say "Starting the Python driver with $previous/$start."
      foreign_script "$previous/$start"
      exit
    fi
  done
  say "The Python driver is back in $previous. Follow its own instructions to start it."
fi
