#!/bin/bash
# Installation by hand, "way 3" of docs/install.md: files copied by a program that drops their modes, then a reboot.
# shellcheck source=tests/box/box.sh
. "$(dirname "$0")/box.sh"

box_new
adapter jbd LltJbd
plug ttyUSB0 "$(pty jbd)"
box_power_on

step "Copying"
unpack_package
find "$box/data/new" -type f -exec chmod 644 {} +
mv "$box/data/new/dbus-serialbattery" "$box/data/etc/"
cp "$box/data/etc/dbus-serialbattery/rc.local" "$box/data/rc.local"
chmod 755 "$box/data/rc.local"
cp -R "$box/data/etc/dbus-serialbattery/serial-starter.d" "$box/data/conf/"

step "Reboot"
box_reboot
wait_for 90 "the battery is on D-Bus" on_bus ttyUSB0
wait_for 30 "it has a voltage" has_voltage ttyUSB0
check "one line in rc.local" inside_sh 'test $(grep -c "enable.sh --boot" /data/rc.local) = 1'
check_not "the root file system is read-only" inside touch /written

step "A firmware update"
box_update_firmware
wait_for 90 "the battery is on D-Bus" on_bus ttyUSB0
