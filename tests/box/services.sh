#!/bin/bash
# How the driver behaves among the others that share the ports: nothing there, excluded, stopped while it searches, supervised for good,
# killed, a service made by hand.
# shellcheck source=tests/box/box.sh
. "$(dirname "$0")/box.sh"

box_new
adapter silent LltJbd
echo 'fault silence on' | socat - "UNIX-CONNECT:$box/silent.control" >/dev/null
adapter jbd LltJbd
adapter jk Jkbms_pb
box_power_on
unpack_package
mkdir -p "$box/data/etc/dbus-serialbattery"
printf '[DEFAULT]\nEXCLUDED_DEVICES = /dev/ttyUSB1\n' >"$box/data/etc/dbus-serialbattery/config.ini"
inside sh /data/new/dbus-serialbattery/install.sh
check "a configuration that was there before is kept" grep -q ttyUSB1 "$box/data/etc/dbus-serialbattery/config.ini"

log_of() { cat "$box/data/log/dbus-serialbattery.$1"/* 2>/dev/null; }
logged() { log_of "$1" | grep -q "$2"; }
runs() { inside_sh "kill -0 \$(cat /service/dbus-serialbattery.$1/pid)"; }
is_down() { inside_sh "svstat /service/dbus-serialbattery.$1 | grep -q ': down'"; }

step "A port where nothing answers"
plug ttyUSB0 "$(pty silent)"
wait_for 60 "the driver looks at it" runs ttyUSB0
start=$SECONDS
wait_for 90 "it says so in the words that users search for" logged ttyUSB0 '>>> No battery connection at .*ttyUSB0'
check "within 60 s ($((SECONDS - start)))" test $((SECONDS - start)) -le 60
wait_for 30 "the next program gets its turn" inside_sh 'grep -q gps /tmp/serial-starter/ttyUSB0'

step "Stopped while it searches"
wait_for 60 "the driver looks at it again" runs ttyUSB0
inside svc -d /service/dbus-serialbattery.ttyUSB0
wait_for 3 "it is gone" is_down ttyUSB0
check_not "the program as well" runs ttyUSB0
unplug ttyUSB0

step "A port that the configuration excludes"
plug ttyUSB1 "$(pty jbd)"
wait_for 60 "the driver leaves it to others" logged ttyUSB1 EXCLUDED_DEVICES
sleep 3
check "and does not serve it" off_bus ttyUSB1
unplug ttyUSB1

step "A port that has only this program: supervised for good"
inside_sh 'echo sbattery > /run/udev-lists/ttyUSB2'
plug ttyUSB2 "$(pty jbd)"
wait_for 60 "the battery is on D-Bus" on_bus ttyUSB2
before=$(pid_of dbus-serialbattery.ttyUSB2)
inside kill -KILL "$before"
wait_for 20 "after SIGKILL it is back" has_voltage ttyUSB2
check_not "as another process" test "$(pid_of dbus-serialbattery.ttyUSB2)" = "$before"
check "supervise runs one start script" inside_sh 'test $(ps | grep -c "[s]tart-serialbattery.sh ttyUSB2") = 1'

step "A service made by hand"
in_mounts ln -s "$(pty jk)" "$box/live/dev/ttyUSB3"
inside_sh 'cp -a /opt/victronenergy/service-templates/dbus-serialbattery /service/dbus-serialbattery.ttyUSB3'
wait_for 20 "supervise has seen it" inside svok /service/dbus-serialbattery.ttyUSB3
check "it waits" is_down ttyUSB3
inside svc -u /service/dbus-serialbattery.ttyUSB3
wait_for 60 "its battery is on D-Bus" on_bus ttyUSB3
inside svc -dx /service/dbus-serialbattery.ttyUSB3
wait_for 5 "and leaves" off_bus ttyUSB3

step "A battery that is not on a serial port: a service of its own, as long as the configuration names it"
spi=dbus-spibattery.spidev0.0
printf '[DEFAULT]\nBMS_TYPE = MNB\n' >"$box/data/etc/dbus-serialbattery/config.ini"
inside sh $home/enable.sh >"$box/printed"
check "it is told" grep -qx "Adding $spi: /dev/spidev0.0 *" "$box/printed"
wait_for 20 "it runs" inside_sh "svstat /service/$spi | grep -q ': up'"
wait_for 20 "with its port and a log of its own" grep -q spidev0.0 "$box/data/log/$spi/current"
folder=$(inside ls -id /service/$spi)
inside sh $home/enable.sh
check "it is left alone while nothing changes" test "$(inside ls -id /service/$spi)" = "$folder"
printf '[DEFAULT]\n' >"$box/data/etc/dbus-serialbattery/config.ini"
inside sh $home/enable.sh >"$box/printed"
check "its end is told" grep -qx "Removing $spi." "$box/printed"
check "nothing of it is left" inside_sh 'test -z "$(ls -A /service | grep "[s]pibattery")" && ! ps | grep "[s]pibattery"'
