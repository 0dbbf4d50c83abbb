#!/bin/bash
# The documents for users are true: every command in them is run on a GX device in a box as it stands there, and what they show is what appears.
# shellcheck source=tests/box/box.sh
. "$(dirname "$0")/box.sh"

docs=$source_dir/docs
pages="$docs/install.md $docs/troubleshooting.md $docs/migration.md $docs/command-line.md"
program=$home/dbus-serialbattery

# documented COMMAND: runs it on the device, if a document has it as a line of its own
documented() {
  # shellcheck disable=SC2086 # $pages is a list
  grep -qxF -- "$1" <(sed 's/^ *//' $pages) || fail "no document says any more: $1"
  echo "$1" >>"$box/ran"
  inside_sh "$1"
}
# shown FIRST LAST FILE: the lines of a document from one that begins with FIRST to one that begins with LAST
shown() { sed 's/^ *//' "$3" | sed -n "/^$1/,/^$2/p"; }
log() { cat "$box/data/log/dbus-serialbattery.ttyUSB0"/*; }
logged() { log | grep -qF -- "$1"; }
bms() { echo "$1" | socat - "UNIX-CONNECT:$box/jbd.control" >/dev/null; }

box_new
adapter jbd LltJbd
plug ttyUSB0 "$(pty jbd)"
box_power_on

step "Installation"
in_mounts cp "$package" "$box/live/tmp/dbus-serialbattery-armhf.tar.gz"
documented "tar -xzf /tmp/dbus-serialbattery-armhf.tar.gz -C /tmp"
documented "sh /tmp/dbus-serialbattery/install.sh" >"$box/installed"
cat "$box/installed"
check "its output is the documented one" diff "$box/installed" <(shown 'Installing dbus-' 'Done:' "$docs/install.md")
wait_for 90 "the battery is on D-Bus" on_bus ttyUSB0
wait_for 30 "it has a voltage" has_voltage ttyUSB0
documented "sh /data/etc/dbus-serialbattery/status.sh" >"$box/status"
cat "$box/status"
for line in 'ttyUSB0' '  tried first  sbattery' '  held by      process' '  on D-Bus     com.victronenergy.battery.ttyUSB0' '  service      up (pid'; do
  check "status and document show: $line" grep -qF -- "$line" "$box/status"
  check "so does the document" grep -qF -- "$line" "$docs/install.md"
done

step "Limits"
shown '\[DEFAULT\]' 'MAX_BATTERY_DISCHARGE' "$docs/install.md" >"$box/data/etc/dbus-serialbattery/config.ini"
check "the check finds no problems" grep -qx 'No problems.' <(documented "/data/etc/dbus-serialbattery/dbus-serialbattery --check-config")
documented "sh /data/etc/dbus-serialbattery/restart.sh"
wait_for 90 "the battery is back" has_voltage ttyUSB0
check "with the documented limit" test "$(bus_value ttyUSB0 /Info/MaxChargeCurrent)" = 100

step "Command line"
for option in $(inside_sh "$program --help" | grep -oE -- '--[a-z-]+' | sort -u); do
  check "the document knows $option" grep -q -- "$option" "$docs/command-line.md"
done
exit_code() {  # EXPECTED ARGUMENTS
  local code=0
  inside_sh "$program $2" >"$box/printed" 2>&1 || code=$?
  check "exit code $1 from $2 ($code)" test "$code" = "$1"
}
exit_code 0 --version
exit_code 0 --list-bms
check "the types are listed" grep -q '^LltJbd ' "$box/printed"
exit_code 0 --list-services
exit_code 0 "--status --count 1"
cat "$box/printed"
check "the view shows the battery" grep -q 'com.victronenergy.battery.ttyUSB0' "$box/printed"
inside_sh "COLUMNS=40 $program --status --count 1" >"$box/printed"
check "it fits a phone" test "$(LC_ALL=C.UTF-8 wc -L <"$box/printed")" -le 40
exit_code 1 --no-such-option
documented "echo sbattery > /data/var/lib/serial-starter/ttyUSB0"
exit_code 1 "--scan /dev/ttyUSB77"
documented "/opt/victronenergy/serial-starter/stop-tty.sh ttyUSB0"
wait_for 20 "the port is free" off_bus ttyUSB0
check "the search finds the BMS" grep -q 'Found LltJbd' <(documented "/data/etc/dbus-serialbattery/dbus-serialbattery --scan /dev/ttyUSB0")
exit_code 0 "--once /dev/ttyUSB0"
check "a reading as text" grep -q 'Voltage  *52.80 V' "$box/printed"
exit_code 0 "--once --json /dev/ttyUSB0"
check "a reading as JSON" grep -qE '^\[\{.*"voltage":5.28E1.*\}\]$' "$box/printed"
bms 'fault silence on'
exit_code 1 "--scan /dev/ttyUSB0"
check "the reason is told" grep -q '^No battery: no answer from any BMS type that was tried' "$box/printed"
bms 'fault silence off'
documented "/opt/victronenergy/serial-starter/start-tty.sh ttyUSB0"
wait_for 120 "the battery is back" has_voltage ttyUSB0

step "Log"
documented "tai64nlocal < /data/log/dbus-serialbattery.ttyUSB0/current" >"$box/printed"
check "with readable times" grep -qE '^20[0-9]{2}-[0-9-]+ [0-9:.]+ info: dbus-serialbattery v' "$box/printed"
documented "tai64nlocal < /data/log/dbus-serialbattery.ttyUSB0/current | tail -n 50" >/dev/null
bms 'set cell3 3.51'
wait_for 30 "the log says why charging is not allowed" logged 'LltJbd: charging is not allowed: Cell Voltage ('
bms 'set cell3 3.3'
bms 'fault silence on'
wait_for 30 "the log tells of failed polls" logged 'LltJbd: poll failed: '
bms 'fault silence off'
wait_for 30 "and that it reads again" logged 'LltJbd: reads again after '
for line in 'LltJbd: charging is not allowed: Cell Voltage (' 'LltJbd: charging is allowed again (' 'LltJbd: poll failed: ttyUSB0: timeout' 'LltJbd: reads again after '; do
  check "the document shows: $line" grep -qF -- "$line" "$docs/troubleshooting.md"
done
wait_for 5 "as it is logged" logged 'LltJbd: poll failed: ttyUSB0: timeout'
bms unplug
wait_for 20 "the log tells of the plug" logged "$(shown 'ttyUSB0 does not respond' 'ttyUSB0 does not respond' "$docs/troubleshooting.md" | head -n 1)"
wait_for 20 "and that the service ends" logged "$(shown 'ttyUSB0 has gone' 'ttyUSB0 has gone' "$docs/troubleshooting.md" | head -n 1)"
bms plug
plug ttyUSB0 "$(pty jbd)"

step "Mistakes in config.ini"
check_config() { inside_sh "$program --check-config" || true; }
printf '[DEFAULT]\n\nMAX_CELL_VOLTAGE = 3,45\n' >"$box/data/etc/dbus-serialbattery/config.ini"
check_config >"$box/printed"
while read -r line; do
  check "printed as documented: $line" grep -qxF -- "$line" "$box/printed"
done < <(shown 'CONFIG ISSUES DETECTED' '|- config.ini line 3' "$docs/troubleshooting.md")
cp "$here/python-driver/config-old-names.ini" "$box/data/etc/dbus-serialbattery/config.ini"
check "an old key as documented" grep -qxF -- "$(shown '|- config.ini line 8' '|- config.ini line 8' "$docs/migration.md" | head -n 1)" <(check_config)
printf '[DEFAULT]\n\nBMS_TYPE = LLTJBD\n' >"$box/data/etc/dbus-serialbattery/config.ini"
check "an unknown type as documented" grep -qF -- "$(shown 'config.ini line 3: BMS_TYPE' 'config.ini line 3: BMS_TYPE' "$docs/troubleshooting.md" | head -n 1)" <(check_config)

step "Everyday commands, in the folder of the driver"
printf '[DEFAULT]\n' >"$box/data/etc/dbus-serialbattery/config.ini"
documented "cat /data/etc/dbus-serialbattery/boot.log" 2>/dev/null || true  # there is none before the first boot
for command in 'sh status.sh' './dbus-serialbattery --status' 'sh restart.sh' 'sh disable.sh' 'sh enable.sh' 'sh uninstall.sh'; do
  check "the document has: $command" grep -qF -- "\`$command\`" "$docs/install.md"
done
inside_sh "cd $home && sh disable.sh"
inside_sh "cd $home && sh enable.sh"
wait_for 120 "the battery is back" on_bus ttyUSB0
inside_sh "cd $home && echo n | sh uninstall.sh"
check "without a yes nothing is deleted" inside test -e $program
inside_sh "cd $home && echo y | sh uninstall.sh"
check "with a yes only the configuration is left" inside_sh "test \"\$(ls $home)\" = config.ini"
inside mkdir -p /data/apps/dbus-serialbattery.python
documented "rm -r /data/apps/dbus-serialbattery.python"

step "No command was forgotten"
# Run by other tests (manual.sh, migration.sh), or by a person.
cat >>"$box/ran" <<'RAN'
chmod 755 /data/rc.local
reboot
sh /data/etc/dbus-serialbattery/uninstall.sh --yes --restore-python
scp dbus-serialbattery-armhf.tar.gz root@ADDRESS:/tmp/
nano /data/etc/dbus-serialbattery/config.ini
RAN
# shellcheck disable=SC2086
forgotten=$(awk 'FNR == 1 { code = 0 } /^ *```/ { code = !code; next } code' $pages | sed 's/^ *//' |
  grep -E '^(sh|echo|tar|cat|rm|cp|ls|cd|chmod|reboot|scp|nano|svc|tai64nlocal|/data/[^ ]*|/opt/[^ ]*)( |$)' | sort -u | grep -vxFf "$box/ran" || true)
check "every command in the documents was run ($forgotten)" test -z "$forgotten"
