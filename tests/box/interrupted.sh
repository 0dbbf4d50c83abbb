#!/bin/bash
# Installations that do not come to their end: power cut at every step of an update, and of a start over a Python driver into whose folder the
# new one was unpacked; signals as from Ctrl-C and a lost connection; no space. Nothing of the user's is lost, and the next installation puts everything right.
# shellcheck source=tests/box/box.sh
. "$(dirname "$0")/box.sh"

box_new
box_power_on
unpack_package
data=$box/data
driver=$data/etc/dbus-serialbattery

# Every program that changes files counts its calls, and ends everything with the call whose number stands in /tmp/cut/at.
in_mounts mkdir -p "$box/live/tmp/cut/bin"
for name in cp mv rm mkdir chmod sync; do
  in_mounts sh -c "cat >$box/live/tmp/cut/bin/$name; chmod 755 $box/live/tmp/cut/bin/$name" <<CUT
#!/bin/sh
read -r calls </tmp/cut/calls
read -r at </tmp/cut/at
echo \$((calls + 1)) >/tmp/cut/calls
[ \$calls -lt \$at ] || kill -KILL 0
exec /bin/$name "\$@"
CUT
done
# cut_at NUMBER COMMAND: whether it was cut
cut_at() {
  inside_sh "echo 0 >/tmp/cut/calls; echo $1 >/tmp/cut/at"
  ! inside_sh "PATH=/tmp/cut/bin:\$PATH setsid $2" >"$box/printed" 2>&1
}
starter_runs() { inside_sh "svstat /service/serial-starter | grep -q ': up '"; }
as_it_should_be() {
  local leftovers
  cmp "$box/config.ini" "$driver/config.ini" && cmp "$box/memory" "$driver/board-memory/spidev0.0" && cmp "$box/memory" "$driver/detection-cache/ttyUSB0" &&
    [ "$(grep -c "enable.sh --boot" "$data/rc.local")" = 1 ] && grep -q foreign-ran "$data/rc.local" && ! grep -q reinstall "$data/rc.local" &&
    cmp "$source_dir/serial-starter.d/dbus-serialbattery.conf" "$data/conf/serial-starter.d/dbus-serialbattery.conf" &&
    inside test -x /opt/victronenergy/service-templates/dbus-serialbattery/run && starter_runs || return
  leftovers=$(cd "$data" && find . -name '*.new' -o -name '*.old' -o -name '*.single')
  if [ "$leftovers" ]; then echo "left over: $leftovers"; return 1; fi
}
# at_every_step COMMAND REPAIR CHECK: from the state in $box/before
at_every_step() {
  local number cut=yes
  for ((number = 0; ${#cut} > 0; number++)); do
    rm -rf "${data:?}"/{etc,conf,rc.local*}
    cp -a "$box/before/." "$data/"
    cut_at $number "$1" || cut=
    inside_sh "$2" >>"$box/printed" 2>&1 || { cat "$box/printed"; fail "the command after a cut at step $number failed"; }
    $3 || { cat "$box/printed"; fail "after a cut at step $number not everything is there"; }
  done
  check "all of $number steps were survived" test $number -gt 15
}
before() {
  rm -rf "$box/before"
  mkdir "$box/before"
  cp -a "$data"/{etc,conf,rc.local} "$box/before/"
}

step "Power cut at every step of an update"
printf '#!/bin/bash\nwords=(one two)\necho foreign > /data/foreign-ran\nexit 0\n# the end\n' >"$data/rc.local"  # bash, and a comment behind the exit
inside sh /data/new/dbus-serialbattery/install.sh
printf '[DEFAULT]\nMAX_BATTERY_CHARGE_CURRENT = 33\n' | tee "$driver/config.ini" >"$box/config.ini"
mkdir -p "$driver"/{board-memory,detection-cache}
echo learnt | tee "$driver/board-memory/spidev0.0" "$driver/detection-cache/ttyUSB0" >"$box/memory"
check "our line comes before the exit" inside_sh 'bash /data/rc.local && sed -n 4p /data/rc.local | grep -q enable.sh'
check "rc.local can be run now" inside test -x /data/rc.local
before
at_every_step "sh /data/new/dbus-serialbattery/install.sh" "sh /data/new/dbus-serialbattery/install.sh" as_it_should_be

step "Power cut at every step of the start over a Python driver"
printf '#!/bin/sh\n# of another extension\nbash /data/etc/dbus-serialbattery/reinstall-local.sh\necho foreign > /data/foreign-ran\n' >"$data/rc.local"
rm -rf "$data/conf/serial-starter.d"
printf 'service sbattery dbus-serialbattery\nalias default gps:vedirect:sbattery\nservice other dbus-other\n' >"$data/conf/serial-starter.d"
mkdir "$driver/bms"
echo python | tee "$driver/dbus-serialbattery.py" "$driver/battery.py" "$driver/utils.py" >"$driver/bms/jkbms.py"
before
python_is_kept() {
  as_it_should_be && cmp "$box/config.ini" "$driver.python/config.ini" || return
  for file in dbus-serialbattery.py battery.py utils.py bms/jkbms.py; do
    if [ ! -e "$driver.python/$file" ] || [ -e "$driver/$file" ]; then echo "$file is not where it should be"; return 1; fi
  done
  [ "$(cat "$data/conf/serial-starter.d/local.conf")" = "service other dbus-other" ]
}
at_every_step "sh $home/enable.sh" "sh $home/enable.sh" python_is_kept

step "Signals while serial-starter is stopped"
# The removal of a service comes while serial-starter is stopped; it waits there for the test.
in_mounts sh -c "mkdir $box/live/tmp/wait && cat >$box/live/tmp/wait/svc && chmod 755 $box/live/tmp/wait/svc" <<'WAIT'
#!/bin/sh
if [ "$1" = -dx ]; then
  touch /tmp/waiting
  while [ -e /tmp/waiting ]; do sleep 1; done
fi
exec /usr/bin/svc "$@"
WAIT
adapter jbd LltJbd
plug ttyUSB0 "$(pty jbd)"
for signal in TERM HUP; do  # a command in the background is deaf to SIGINT
  wait_for 90 "the battery is there" on_bus ttyUSB0
  inside_sh 'PATH=/tmp/wait:$PATH setsid sh -c "echo \$\$ >/tmp/pid; exec sh '$home'/restart.sh"' >"$box/printed" 2>&1 &
  command=$!
  wait_for 30 "a service is removed" inside test -e /tmp/waiting
  check_not "serial-starter is down" starter_runs
  inside_sh "kill -$signal -\$(cat /tmp/pid); rm /tmp/waiting"
  check "the command comes to its end after $signal" wait $command
  check "and serial-starter runs again" starter_runs
done
wait_for 90 "the battery is there" on_bus ttyUSB0

step "/data is full"
cp -p "$data/rc.local" "$box/rc.local"
printf '#!/bin/sh\necho foreign > /data/foreign-ran\n' >"$data/rc.local"
mv "$data/conf/serial-starter.d" "$data/conf/folder"
printf 'service sbattery dbus-serialbattery\nservice other dbus-other\n' >"$data/conf/serial-starter.d"
in_mounts sh -c "mount -t tmpfs -o size=40m small $box/live/data && cp -a $data/. $box/live/data/"
inside_sh 'dd if=/dev/zero of=/data/filler bs=4k' 2>/dev/null || true
check_not "the driver can not be enabled" inside sh $home/enable.sh
check "foreign lines are still in rc.local" inside_sh '! grep -v "^#!" /data/rc.local | grep -v "^echo foreign > /data/foreign-ran$" && grep -q foreign /data/rc.local'
check "and those for serial-starter somewhere" inside_sh 'grep -rq "service other dbus-other" /data/conf'
inside rm /data/filler
check "with some space the driver can be enabled" inside sh $home/enable.sh
check "with the lines of others" inside_sh 'grep -q foreign-ran /data/rc.local && grep -q "service other dbus-other" /data/conf/serial-starter.d/local.conf'
in_mounts umount "$box/live/data"
rm "$data/conf/serial-starter.d"
cp -p "$box/rc.local" "$data/rc.local"
mv "$data/conf/folder" "$data/conf/serial-starter.d"

step "Uninstalled"
touch "$driver.new" "$driver.old"
inside sh $home/uninstall.sh --yes
check "only the configuration and the Python driver are left" test "$(cd "$data/etc" && echo ./* dbus-serialbattery/*)" = "./dbus-serialbattery ./dbus-serialbattery.python dbus-serialbattery/config.ini"
check "foreign lines and comments stay" test "$(cat "$data/rc.local")" = "$(printf '#!/bin/sh\n# of another extension\necho foreign > /data/foreign-ran')"
check_not "nothing for serial-starter is left" grep -rq sbattery "$data/conf"
