# shellcheck shell=sh
# Shared by the commands of this folder; sourced, never run. Written for the busybox shell of Venus OS.
# The caller has set `home`, the folder of the program.

layouts='/data/etc/dbus-serialbattery /data/apps/dbus-serialbattery'
templates=/opt/victronenergy/service-templates
template=$templates/dbus-serialbattery
starter_conf=/data/conf/serial-starter.d
starter_cache=/data/var/lib/serial-starter
rc_local=/data/rc.local

# shellcheck disable=SC2154 # home: see above
rc_line="sh $home/enable.sh --boot > $home/boot.log 2>&1 &"
# Lines of this program and of the Python driver in rc.local, in all layouts that ever were.
rc_pattern='/dbus-serialbattery/(enable|reinstall-?local)\.sh|^[[:space:]]*ln .*dbus-serialbattery'

say() { echo "$*"; }
die() {
  echo "Error: $*" >&2
  exit 1
}

# --- root file system -------------------------------------------------------------------------------------------------------------

# with_writable FOLDER COMMAND...: runs the command while FOLDER can be written. The root file system is read-only and is opened for this
# command only. (Victron's remount-rw.sh would open it for good and mark the device as modified. A folder that an overlay covers is writable.)
with_writable() {
  folder=$1
  shift
  if touch "$folder/.writable" 2>/dev/null; then
    rm -f "$folder/.writable"
    "$@"
    return
  fi
  mount -o remount,rw / || die "the root file system can not be made writable"
  "$@"
  result=$?
  sync
  mount -o remount,ro / 2>/dev/null || say "The root file system is busy and stays writable until the next reboot."
  return $result
}

# --- service template -------------------------------------------------------------------------------------------------------------

# make_template FOLDER: the template as it should be, for this location of the program.
make_template() {
  mkdir -p "$1/log"
  sed "s|^home=.*|home=$home|" "$home/service/run" >"$1/run"
  cp "$home/service/log/run" "$1/log/run"
  : >"$1/down"
  : >"$1/log/down"
  chmod 755 "$1/run" "$1/log/run"
}

# same_template FOLDER FOLDER: a link in place of the folder or of a file is never the same, serial-starter would edit what it points to.
same_template() {
  [ ! -L "$2" ] || return 1
  for file in run down log/run log/down; do
    [ -f "$2/$file" ] && [ ! -L "$2/$file" ] && cmp -s "$1/$file" "$2/$file" || return 1
  done
  [ -x "$2/run" ] && [ -x "$2/log/run" ]
}

# What older installations left on the root file system: links and copies of the program, and a link that starts the template itself.
root_leftovers() {
  for item in /opt/victronenergy/dbus-serialbattery /opt/victronenergy/service/dbus-serialbattery; do
    if [ -e "$item" ] || [ -L "$item" ]; then echo "$item"; fi
  done
}

remove_leftovers() { for item in $(root_leftovers); do rm -rf "$item"; done; }

replace_template() {
  rm -rf "$template.new"
  cp -R "$1" "$template.new" && rm -rf "$template" && mv "$template.new" "$template"
}

remove_template() { rm -rf "$template"; }

# --- serial-starter ---------------------------------------------------------------------------------------------------------------

# Venus OS reads a folder of files; an installation of old had a single file in its place. Lines of others in it are kept.
# A conversion that a power cut ended begins again from the file that it has put aside.
convert_single_conf() {
  if [ -f "$starter_conf" ]; then mv "$starter_conf" "$starter_conf.single" || return; fi
  [ -f "$starter_conf.single" ] || return 0
  mkdir -p "$starter_conf" || return
  others=$(grep -vE '^[[:space:]]*service[[:space:]]+sbattery[[:space:]]|^[[:space:]]*alias[[:space:]]+(default[[:space:]]+(gps:vedirect:)?sbattery|rs485[[:space:]]+cgwacs:fzsonick:imt:modbus:sbattery)[[:space:]]*$' "$starter_conf.single")
  if echo "$others" | grep -qvE '^[[:space:]]*(#|$)'; then echo "$others" >"$starter_conf/local.conf" || return; fi
  rm "$starter_conf.single"
}

is_up() { svstat "$1" 2>/dev/null | grep -q ': up '; }

stop_starter() {
  svok /service/serial-starter 2>/dev/null || return 0
  svc -d /service/serial-starter
  tries=0
  while is_up /service/serial-starter && [ $tries -lt 10 ]; do
    tries=$((tries + 1))
    sleep 1
  done
}

# Ended between locking a port and starting a program for it, serial-starter leaves a lock behind and would never look at the port again.
start_starter() {
  svok /service/serial-starter 2>/dev/null && ! is_up /service/serial-starter || return 0
  for lock in /var/lock/serial-starter/*; do
    [ -L "$lock" ] || continue
    used=
    for service in /service/*."${lock##*/}"; do
      if is_up "$service"; then used=yes; fi
    done
    [ "$used" ] || rm -f "$lock"
  done
  svc -u /service/serial-starter
}

# guard_starter: for commands that stop serial-starter for a while. The device needs its serial ports: Ctrl-C or a lost SSH connection ends none
# of these commands half-way, and an error not before serial-starter runs again.
guard_starter() {
  trap '' HUP INT TERM
  trap start_starter EXIT
}

# --- services ---------------------------------------------------------------------------------------------------------------------

serial_services() { for dir in /service/dbus-serialbattery.*; do [ -e "$dir" ] && echo "${dir##*/}"; done; }
# Releases 0.9 to 0.11 of the Python driver had the template itself started as a service, without a port.
stray_services() { if [ -e /service/dbus-serialbattery ] || [ -L /service/dbus-serialbattery ]; then echo dbus-serialbattery; fi; }
other_services() {
  for dir in /service/dbus-blebattery.* /service/dbus-canbattery.* /service/dbus-mqttbattery /service/dbus-mqttbattery.* /service/dbus-spibattery.*; do
    [ -e "$dir" ] && echo "${dir##*/}"
  done
}

# remove_service NAME: out of sight of svscan first, or it would start a new supervise; then supervise and the program end, then the files go.
remove_service() {
  if [ -L "/service/$1" ]; then
    real=$(readlink -f "/service/$1")
    rm "/service/$1"
  else
    real=/service/.removed-$1
    mv "/service/$1" "$real" || return
  fi
  [ -d "$real" ] || return 0
  svc -dx "$real" "$real/log" 2>/dev/null
  tries=0
  while svok "$real" 2>/dev/null || svok "$real/log" 2>/dev/null; do
    tries=$((tries + 1))
    if [ $tries -gt 10 ]; then
      say "$1 does not end; its files stay in $real."
      return
    fi
    sleep 1
  done
  case $real in
    /var/volatile/* | /service/*) rm -rf "$real" ;;
    *) rm -rf "$real/supervise" "$real/log/supervise" ;;  # a link to files of somebody
  esac
}

# recycle_ports VERB: ends the driver on all serial ports and lets serial-starter, which owns the ports, start it again at once, from the template
# of now. A plain `svc -u` would keep serial-starter away from the port until the next boot.
recycle_ports() {
  services=$(serial_services)
  [ "$services" ] || return 0
  stop_starter
  for service in $services; do
    if is_up "/service/$service"; then say "$1 ${service#*.}."; fi
    remove_service "$service"
    # The program that serial-starter tries first on this port.
    if [ -d "$starter_cache" ] && [ -e "$template" ]; then echo sbattery >"$starter_cache/${service#*.}"; fi
  done
  start_starter
}

# create_services: the batteries on Bluetooth, CAN, MQTT and SPI that the configuration names; what it no longer names is removed.
# The program tells them from the parsed configuration, one per line: name of the service, then the arguments, the last of which may hold
# blanks. A line `serial-starter` says that serial ports are wanted. What runs already with the same arguments is left alone.
create_services() {
  wanted=$1
  for service in $(other_services); do
    echo "$wanted" | grep -q "^$service " || { say "Removing $service."; remove_service "$service"; }
  done
  echo "$wanted" | while read -r service first rest; do
    case $service in dbus-*battery*) ;; *) continue ;; esac
    new=/service/.new-$service
    rm -rf "$new"
    cp -R "$home/instance" "$new" || continue
    chmod 755 "$new/run" "$new/log/run"
    echo "$home" >"$new/program-folder"
    printf '%s\n' "$first" ${rest:+"$rest"} >"$new/arguments"
    if [ -e "/service/$service" ] && cmp -s "$new/arguments" "/service/$service/arguments" && cmp -s "$new/run" "/service/$service/run" &&
      cmp -s "$new/program-folder" "/service/$service/program-folder"; then
      rm -rf "$new"
      continue
    fi
    if [ -e "/service/$service" ]; then remove_service "$service"; fi
    say "Adding $service: $first $rest"
    mv "$new" "/service/$service"
  done
}

# --- rc.local ---------------------------------------------------------------------------------------------------------------------

# put_rc_local: replaces rc.local by standard input, unless /data is full or the result is no longer a script in the language that its first line
# names.
put_rc_local() {
  if ! cat >"$rc_local.new"; then
    rm -f "$rc_local.new"
    return 1
  fi
  case $(head -n 1 "$rc_local.new") in *bash*) check=foreign_script ;; *) check='sh' ;; esac
  if $check -n "$rc_local.new" 2>/dev/null; then
    chmod 755 "$rc_local.new"
    mv "$rc_local.new" "$rc_local"
  else
    rm -f "$rc_local.new"
    return 1
  fi
}

# Removes all lines of the driver; where one is the only content of an `if`, a line that does nothing takes its place.
remove_rc_lines() {
  [ -e "$rc_local" ] || return 0
  grep -qE "$rc_pattern" "$rc_local" || return 0
  if ! grep -vE "$rc_pattern" "$rc_local" | put_rc_local && ! sed -E "s#.*($rc_pattern).*#:#" "$rc_local" | put_rc_local; then
    say "Please remove the lines with dbus-serialbattery from $rc_local; this could not be done automatically."
    return
  fi
  # A file that held nothing else goes as well; the comment is that of our own rc.local.
  grep -qvE '^[[:space:]]*$|^#!|^# Called by Venus OS at the end of each boot' "$rc_local" || rm "$rc_local"
}

# The line must come before a final exit, and the last line of a foreign file may lack its line end.
add_rc_line() {
  if [ -e "$rc_local" ] && [ ! -x "$rc_local" ]; then say "Note: $rc_local could not be run; now it can, so its other lines run at each boot, too."; fi
  if [ -e "$rc_local" ] && grep -qxF "$rc_line" "$rc_local" && [ "$(grep -cE "$rc_pattern" "$rc_local")" = 1 ]; then
    [ -x "$rc_local" ] || chmod 755 "$rc_local"
    return
  fi
  remove_rc_lines
  if [ ! -e "$rc_local" ]; then
    printf '#!/bin/sh\n%s\n' "$rc_line" | put_rc_local
  else
    LINE=$rc_line awk '
      { lines[NR] = $0 } !/^[[:space:]]*(#|$)/ { last = NR }
      END {
        before = lines[last] ~ /^[[:space:]]*exit([[:space:];]|$)/ ? last : NR + 1
        if (lines[1] !~ /^#!/) print "#!/bin/sh"
        for (i = 1; i <= NR; i++) { if (i == before) print ENVIRON["LINE"]; print lines[i] }
        if (before > NR) print ENVIRON["LINE"]
      }' "$rc_local" | put_rc_local || die "$rc_local could not be changed: is it a valid script, is /data full?"
  fi
  say "Venus OS starts the driver from $rc_local at each boot."
  if [ -e "$rc_local.disabled" ]; then say "Note: $rc_local.disabled exists; somebody has switched off start scripts on this device."; fi
}

# --- other installations ----------------------------------------------------------------------------------------------------------

# Scripts of the Python driver are written for bash.
foreign_script() { if command -v bash >/dev/null; then bash "$@"; else sh "$@"; fi; }

is_python_driver() { [ -e "$1/dbus-serialbattery.py" ]; }

# What an update keeps: the configuration and what the driver has learnt and recorded.
user_files='config.ini detection-cache board-memory capture'

# keep_user_files FROM TO: nothing newer is overwritten.
keep_user_files() {
  for item in $user_files; do
    if [ ! -e "$1/$item" ] || [ -e "$2/$item" ]; then continue; fi
    cp -R "$1/$item" "$2/" || die "$1/$item could not be copied to $2; is /data full?"
  done
}

# Both drivers want the same ports and names. The Python driver is switched off, and its folder gets the name *.python, from which
# `uninstall.sh --restore-python` can bring it back.
# stop_python_driver FOLDER: before its folder is moved. serial-starter, which would start it again, stays stopped; enable.sh starts it.
stop_python_driver() {
  say "Switching off the Python driver in $1; it is kept as $1.python."
  stop_starter
  if [ -e "$1/disable.sh" ] && [ ! -e "$1/files" ]; then foreign_script "$1/disable.sh" </dev/null >/dev/null 2>&1; fi
  stop_starter  # its script starts it
  for service in $(stray_services) $(serial_services) $(other_services); do remove_service "$service"; done
}

set_aside() {
  rm -rf "$home.python/$1"
  mv "$home/$1" "$home.python/"
}
# set_python_files_aside: out of the folder in which both drivers are, what is not ours. The file by which a Python driver is recognised goes
# last, so that enable.sh continues this after a power cut.
set_python_files_aside() {
  mkdir -p "$home.python"
  for item in "$home"/*; do
    name=${item##*/}
    case " $user_files dbus-serialbattery.py " in *" $name "*) continue ;; esac
    case $name in *.log) continue ;; esac
    grep -qxF "$name" "$home/files" || set_aside "$name"
  done
  [ ! -e "$home/config.ini" ] || cp "$home/config.ini" "$home.python/"
  set_aside dbus-serialbattery.py
}

# Other installations than the one in `home`: a Python driver, or a copy of this program in the other layout, which is taken over.
retire_others() {
  for other in $layouts; do
    if is_python_driver "$other"; then
      stop_python_driver "$other"
      if [ "$other" = "$home" ]; then  # we were unpacked over it
        set_python_files_aside
      else
        keep_user_files "$other" "$home"
        rm -rf "$other.python"
        mv "$other" "$other.python"
      fi
    elif [ "$other" != "$home" ] && [ -e "$other/files" ]; then
      say "Taking over the configuration of the copy in $other and removing that copy."
      keep_user_files "$other" "$home"
      rm -rf "$other"
    fi
  done
}
