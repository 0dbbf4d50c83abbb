#!/bin/bash
# Installation without access to the device: venus-data.tar.gz on a USB stick, on a fresh device and over a Python driver.
# shellcheck source=tests/box/box.sh
. "$(dirname "$0")/box.sh"

box_new
adapter jbd LltJbd
plug ttyUSB0 "$(pty jbd)"

# The stick as scripts/package makes it, with the program of this machine.
mkdir -p "$box/usb" "$box/stick/etc"
tar -xzf "$package" -C "$box/stick/etc"
cp -R "$source_dir/scripts/usb" "$box/stick/rc"
mkdir -p "$box/stick/etc/dbus-serialbattery/"{armhf,aarch64}
tar -czf "$box/usb/venus-data.tar.gz" -C "$box/stick" etc rc

step "First boot with the stick"
box_power_on
wait_for 90 "the battery is on D-Bus" on_bus ttyUSB0
wait_for 30 "it has a voltage" has_voltage ttyUSB0
check "the boot hook is there" inside grep -q "$home/enable.sh --boot" /data/rc.local

step "Second boot, the stick still plugged in, with a configuration and another extension"
printf '[DEFAULT]\nMAX_BATTERY_CHARGE_CURRENT = 33\n' >"$box/data/etc/dbus-serialbattery/config.ini"
echo 'touch /data/other-ran' >>"$box/data/rc.local"
box_reboot
wait_for 90 "the battery is on D-Bus" on_bus ttyUSB0
check "the configuration is kept" grep -q 33 "$box/data/etc/dbus-serialbattery/config.ini"
check "rc.local is kept" inside test -e /data/other-ran

step "Third boot, over a Python driver"
box_power_off
mkdir -p "$box/data/python"
mv "$box/data/etc/dbus-serialbattery/config.ini" "$box/data/python/"
rm -rf "$box/data/etc/dbus-serialbattery" "$box/data/log"/dbus-serialbattery.*
mv "$box/data/python" "$box/data/etc/dbus-serialbattery"
echo pass | tee "$box/data/etc/dbus-serialbattery/dbus-serialbattery.py" "$box/data/etc/dbus-serialbattery/utils.py" >/dev/null
box_power_on
wait_for 90 "the battery is on D-Bus" on_bus ttyUSB0
check "the configuration is kept" grep -q 33 "$box/data/etc/dbus-serialbattery/config.ini"
check "the Python driver is kept aside" test -e "$box/data/etc/dbus-serialbattery.python/utils.py"
check_not "and not mixed with ours" test -e "$box/data/etc/dbus-serialbattery/utils.py"

step "Fourth boot, after a power cut when the Python driver had just been set aside"
box_power_off
rm -rf "$box/data/etc/dbus-serialbattery"
box_power_on
check "the configuration is kept" grep -q 33 "$box/data/etc/dbus-serialbattery/config.ini"
