#!/bin/bash
# The life of an installation on a GX device: installed by the steps of docs/install.md, found the battery, rebooted, firmware updated, second
# adapter, adapter moved to another port, restarted, updated, disabled, uninstalled.
# shellcheck source=tests/box/box.sh
. "$(dirname "$0")/box.sh"

box_new
adapter jbd LltJbd
plug ttyUSB0 "$(pty jbd)"
printf '#!/bin/bash\necho foreign > /data/foreign-ran\nexit 0' >"$box/data/rc.local"  # of another extension, without line end
chmod 755 "$box/data/rc.local"

step "Installation"
box_power_on
unpack_package
inside sh /data/new/dbus-serialbattery/install.sh
wait_for 90 "the battery is on D-Bus" on_bus ttyUSB0
wait_for 30 "it has a voltage" has_voltage ttyUSB0
check "the log can be read" inside_sh "tai64nlocal < /data/log/dbus-serialbattery.ttyUSB0/current | grep -q ttyUSB0"
check "the copy of the template holds the port once" inside_sh 'test $(grep -c ttyUSB0 /service/dbus-serialbattery.ttyUSB0/run) = 1'
check "the copy of the log script holds the port once" inside_sh 'test $(grep -c ttyUSB0 /service/dbus-serialbattery.ttyUSB0/log/run) = 1'
check_not "the template itself holds no port" inside grep -r ttyUSB0 /opt/victronenergy/service-templates
check_not "the root file system is read-only again" inside touch /written
check "supervise waits for serial-starter" inside_sh "svstat /service/dbus-serialbattery.ttyUSB0 | grep -q 'normally down'"
check "foreign lines are still in rc.local" inside grep -q foreign-ran /data/rc.local
check "our line comes before the final exit" inside_sh 'test "$(tail -n 1 /data/rc.local)" = "exit 0"'
check "rc.local can be run" inside test -x /data/rc.local
check "status names the battery" inside_sh "sh $home/status.sh | grep 'on D-Bus' | grep -q com.victronenergy.battery.ttyUSB0"

step "Running the boot hook again changes nothing"
state() { inside_sh 'cat /data/rc.local /data/conf/serial-starter.d/* /opt/victronenergy/service-templates/dbus-serialbattery/run; ls -lid /opt/victronenergy/service-templates/dbus-serialbattery /data/conf/serial-starter.d/*; cat /service/dbus-serialbattery.ttyUSB0/pid'; }
state >"$box/before"
inside sh $home/enable.sh --boot
inside sh $home/enable.sh
state >"$box/after"
check "same files, same process" cmp "$box/before" "$box/after"

step "Stopping"
inside svc -d /service/dbus-serialbattery.ttyUSB0
wait_for 5 "the name is gone" off_bus ttyUSB0
wait_for 60 "serial-starter brings it back" on_bus ttyUSB0

step "Reboot"
box_reboot
wait_for 45 "the battery is on D-Bus" on_bus ttyUSB0
check "the other extension ran, too" inside test -e /data/foreign-ran

step "Nothing is written to the flash memory while all is well"
inside touch /tmp/now
sleep 10
check_not "no file on /data has changed, logs of other things aside" inside_sh 'find /data -newer /tmp/now -type f ! -path "/data/log/*" | grep .'

step "Firmware update: a new root file system, /data stays"
box_update_firmware
wait_for 60 "the battery is on D-Bus" on_bus ttyUSB0
check "the template is a folder" inside test -d /opt/victronenergy/service-templates/dbus-serialbattery/log
check_not "the root file system is read-only" inside touch /written

step "A second adapter with another BMS"
adapter jk Jkbms_pb
plug ttyUSB1 "$(pty jk)"
wait_for 120 "its battery is on D-Bus" on_bus ttyUSB1
check "the first is still there" on_bus ttyUSB0
check "each has its own folder" inside_sh 'test $(grep -c ttyUSB1 /service/dbus-serialbattery.ttyUSB1/run) = 1'

step "The first adapter moves to another port"
echo unplug | socat - "UNIX-CONNECT:$box/jbd.control" >/dev/null
unplug ttyUSB0
wait_for 15 "its name is gone" off_bus ttyUSB0
check "the second battery is not disturbed" on_bus ttyUSB1
wait_for 5 "its lock is gone" inside test ! -L /var/lock/serial-starter/ttyUSB0
echo plug | socat - "UNIX-CONNECT:$box/jbd.control" >/dev/null
plug ttyUSB10 "$(pty jbd)"
wait_for 120 "it is back under the name of the new port" on_bus ttyUSB10

step "Restart after a change of config.ini"
printf '[DEFAULT]\nMAX_BATTERY_CHARGE_CURRENT = 33\n' >"$box/data/etc/dbus-serialbattery/config.ini"
before=$(pid_of dbus-serialbattery.ttyUSB1)
inside sh $home/restart.sh
wait_for 60 "the battery is back" has_voltage ttyUSB1
check_not "by another process" test "$(pid_of dbus-serialbattery.ttyUSB1)" = "$before"
wait_for 60 "the other battery as well" has_voltage ttyUSB10
wait_for 10 "the new setting is in force" test "$(bus_value ttyUSB1 /Info/MaxChargeCurrent)" -le 33

step "Update"
unpack_package
echo "9.9.9 (test)" >"$box/data/new/dbus-serialbattery/version"
inside sh /data/new/dbus-serialbattery/install.sh
check "the new files are in place" inside grep -q 9.9.9 $home/version
check "the configuration is kept" inside grep -q 'CURRENT = 33' $home/config.ini
wait_for 90 "the battery is back" on_bus ttyUSB1
check_not "nothing is left over" inside_sh 'ls -d /data/etc/dbus-serialbattery.*'

step "The other layout"
unpack_package
inside sh /data/new/dbus-serialbattery/install.sh --apps
check "the configuration has moved" inside grep -q 'CURRENT = 33' /data/apps/dbus-serialbattery/config.ini
check_not "the old folder is gone" inside test -e $home
wait_for 90 "the battery is back" on_bus ttyUSB1
home=/data/apps/dbus-serialbattery

step "Disable"
inside sh $home/disable.sh
wait_for 5 "no battery on D-Bus" off_bus ttyUSB1
check_not "no line in rc.local" inside grep -q dbus-serialbattery /data/rc.local
check "foreign lines stay" inside grep -q foreign-ran /data/rc.local
check_not "no template" inside test -e /opt/victronenergy/service-templates/dbus-serialbattery
check_not "no entry for serial-starter" inside_sh 'grep -r sbattery /data/conf'
check_not "no service" inside_sh 'ls -d /service/dbus-serialbattery.*'
box_reboot
sleep 8
check "after a reboot it is still disabled" off_bus ttyUSB1

step "Enable"
inside sh $home/enable.sh
wait_for 90 "the battery is back" on_bus ttyUSB1

step "Uninstall"
inside sh $home/uninstall.sh --yes
check "only the configuration is left" inside_sh "test \"\$(ls $home)\" = config.ini"
check_not "no logs are left" inside_sh 'ls -d /data/log/dbus-serialbattery.*'
wait_for 5 "no battery on D-Bus" off_bus ttyUSB1
