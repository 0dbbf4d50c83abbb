#!/bin/bash
# From the Python driver and back: its three layouts, each with a typical configuration.
#   migration.sh old | copied | apps
# shellcheck source=tests/box/box.sh
. "$(dirname "$0")/box.sh"

layout=$1

# What the Python driver has stored about this board in the settings of the device.
stored=/Settings/Devices/serialbattery_21_100_0AH
cat >"$box/settings.json" <<JSON
{
  "$stored/UniqueIdentifier": {"type": "s", "value": "21_100_0Ah"},
  "$stored/ClassAndVrmInstance": {"type": "s", "value": "battery:7"},
  "$stored/CustomName": {"type": "s", "value": "Garage"},
  "$stored/LastSeen": {"type": "i", "value": $(($(date +%s) - 3600))},
  "$stored/HistoryValues": {"type": "s", "value": "{\"full_discharges\": 3}"}
}
JSON
# It is the battery that was there before: name, VRM instance and history.
check_identity() {
  check "the name is kept" test "$(bus_value ttyUSB0 /CustomName)" = Garage
  check "the VRM instance is kept" test "$(bus_value ttyUSB0 /DeviceInstance)" = 7
  check "the history goes on" test "$(bus_value ttyUSB0 /History/FullDischarges)" = 3
}

box_new
adapter jbd LltJbd
plug ttyUSB0 "$(pty jbd)"
root=$box/root
data=$box/data
victron=$root/opt/victronenergy

# python_driver FOLDER CONFIG: a stand-in: its files, and a start script that sits on the port as the Python driver does
python_driver() {
  mkdir -p "$1"/{service/log,bms,ext/velib_python}
  echo 'raise SystemExit("stand-in of the Python driver")' | tee "$1/dbus-serialbattery.py" "$1/utils.py" "$1/bms/daly.py" >/dev/null
  printf '[DEFAULT]\nLOGGING = INFO\n' >"$1/config.default.ini"
  [ -z "$2" ] || cp "$here/python-driver/$2" "$1/config.ini"
  printf '#!/bin/sh\ntouch /data/python-driver-ran\nexec sleep 100000\n' >"$1/start-serialbattery.sh"
  printf '#!/bin/sh\nexec 2>&1\nexec %s/start-serialbattery.sh TTY\n' "${3:-/opt/victronenergy/dbus-serialbattery}" >"$1/service/run"
  printf '#!/bin/sh\nexec multilog t s25000 n4 /var/log/dbus-serialbattery.TTY\n' >"$1/service/log/run"
  chmod 755 "$1/start-serialbattery.sh" "$1/service/run" "$1/service/log/run"
}
starter_lines='service   sbattery    dbus-serialbattery
alias     default     gps:vedirect:sbattery
alias     rs485       cgwacs:fzsonick:imt:modbus:sbattery'

case $layout in
  old)  # 0.x: in /data/etc, links on the root file system, one of them wrong, a single configuration file with a line of somebody else
    config='config-old-names.ini'
    old=/data/etc/dbus-serialbattery
    python_driver "$data/etc/dbus-serialbattery" $config
    printf '%s\nservice   other   dbus-other\n' "$starter_lines" >"$data/conf/serial-starter.d"
    ln -s $old "$victron/dbus-serialbattery"
    ln -s $old/service "$victron/service-templates/dbus-serialbattery"
    ln -s $old/service "$victron/service/dbus-serialbattery"
    cat >"$data/rc.local" <<'RC'
#!/bin/bash
if [ ! -e /opt/victronenergy/dbus-serialbattery ]; then
  ln -s /data/etc/dbus-serialbattery /opt/victronenergy/dbus-serialbattery
fi
touch /data/other-ran
RC
    ;;
  copied)  # 1.x: copied to the root file system by a script that rc.local runs
    config='config-plain.ini'
    old=/data/etc/dbus-serialbattery
    python_driver "$data/etc/dbus-serialbattery" $config
    cp -R "$data/etc/dbus-serialbattery" "$victron/"
    cp -R "$data/etc/dbus-serialbattery/service" "$victron/service-templates/dbus-serialbattery"
    mkdir "$data/conf/serial-starter.d"
    echo "$starter_lines" >"$data/conf/serial-starter.d/dbus-serialbattery.conf"
    printf '#!/bin/sh\necho put the Python driver back > /data/reinstalled\n' >"$data/etc/dbus-serialbattery/reinstall-local.sh"
    printf '#!/bin/bash\n\nbash /data/etc/dbus-serialbattery/reinstall-local.sh\ntouch /data/other-ran\n' >"$data/rc.local"
    ;;
  apps)  # 2.x
    config='config-large.ini'
    old=/data/apps/dbus-serialbattery
    python_driver "$data/apps/dbus-serialbattery" $config $old
    cp -R "$data/apps/dbus-serialbattery/service" "$victron/service-templates/dbus-serialbattery"
    mkdir "$data/conf/serial-starter.d"
    echo "$starter_lines" >"$data/conf/serial-starter.d/dbus-serialbattery.conf"
    printf '#!/bin/bash\necho put the Python driver back > /data/reinstalled\n' >"$data/apps/dbus-serialbattery/enable.sh"
    printf '#!/bin/bash\ntouch /data/python-disabled\nrm -f /data/conf/serial-starter.d/dbus-serialbattery.conf\n' >"$data/apps/dbus-serialbattery/disable.sh"
    printf '#!/bin/bash\nbash %s/enable.sh --boot > %s/startup.log 2>&1 &\ntouch /data/other-ran\n' $old $old >"$data/rc.local"
    ;;
esac
chmod 755 "$data/rc.local"

step "The Python driver serves the port"
box_power_on
wait_for 90 "it runs" inside test -e /data/python-driver-ran
rm -f "$data/reinstalled" "$data/other-ran"

step "Installation over it"
unpack_package
inside sh /data/new/dbus-serialbattery/install.sh | tee "$box/installed"
case $config in
  config-large.ini) check "what was lost is told" grep -q 'BLUETOOTH_BMS: Bluetooth is not built into this version yet' "$box/installed" ;;
  *) check_not "nothing was lost" grep -q 'not built into' "$box/installed" ;;
esac
wait_for 120 "the battery is on D-Bus" on_bus ttyUSB0
wait_for 30 "it has a voltage" has_voltage ttyUSB0
check_identity
check "the configuration is the user's" cmp "$here/python-driver/$config" "$data/etc/dbus-serialbattery/config.ini"
check "the Python driver is kept aside" inside test -e "$old.python/dbus-serialbattery.py"
check_not "and is not in its place" inside test -e "$old/dbus-serialbattery.py"
check "the template is ours" inside test -e /opt/victronenergy/service-templates/dbus-serialbattery/down
check_not "no other copy on the root file system" inside test -e /opt/victronenergy/dbus-serialbattery
check_not "no service without a port" inside_sh 'test -e /opt/victronenergy/service/dbus-serialbattery || test -L /opt/victronenergy/service/dbus-serialbattery'
check_not "nor does such a service run" inside_sh 'test -L /service/dbus-serialbattery || ps | grep -q "supervise dbus-serialbattery$"'
check "rc.local is a valid script" inside bash -n /data/rc.local
check "one line of ours in it" inside_sh 'test $(grep -c "dbus-serialbattery/" /data/rc.local) = 1'
check "and the line of somebody else" inside grep -q other-ran /data/rc.local
check "serial-starter knows the driver once" inside_sh 'test $(cat /data/conf/serial-starter.d/*.conf | grep -c "service *sbattery") = 1'
case $layout in
  old) check "the line of somebody else for serial-starter is kept" inside_sh 'grep -q "service   other   dbus-other" /data/conf/serial-starter.d/*.conf' ;;
  apps) check "the Python driver's own disable.sh was run" inside test -e /data/python-disabled ;;
esac
case $config in
  config-old-names.ini) check "the log names the successors of old keys" grep -rq SWITCH_TO_BULK_SOC_THRESHOLD "$data/log/dbus-serialbattery.ttyUSB0/" ;;
esac

step "After a reboot it is still ours"
box_reboot
wait_for 60 "the battery is on D-Bus" on_bus ttyUSB0
check_identity
check "the other extension ran" inside test -e /data/other-ran
check_not "the Python driver was not started again" inside test -e /data/reinstalled

step "Back to the Python driver"
inside sh /data/etc/dbus-serialbattery/uninstall.sh --yes --restore-python
wait_for 10 "our battery is gone" off_bus ttyUSB0
check "the Python driver is in its place" inside test -e "$old/dbus-serialbattery.py"
check "with the configuration" cmp "$here/python-driver/$config" "$data/${old#/data/}/config.ini"
case $layout in
  copied | apps) check "its start script was run" inside test -e /data/reinstalled ;;
esac
check_not "our program is gone" inside_sh "ls -d /data/etc/dbus-serialbattery/files /data/apps/dbus-serialbattery/files"
