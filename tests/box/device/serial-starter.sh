#!/bin/sh
# Stand-in for Victron's serial-starter, written from its documented behaviour: configuration files, probe lists, the choice of the next
# program, the copy of a template, the lock of a port. Ports appear as links in /dev/serial-starter; the name of a port's probe list
# stands in /run/udev-lists/<tty> where there is a udev rule for it, otherwise it is `default`.
exec 2>&1
conf=/etc/venus/serial-starter.conf
cache=/data/var/lib/serial-starter
last=/tmp/serial-starter
locks=/var/lock/serial-starter
db=/tmp/serial-starter-conf.$$
mkdir -p "$cache" "$last" "$locks"

# The configuration is read once. Later definitions replace earlier ones.
read_conf() {
  while read -r word name value; do
    case $word in
      service) echo "service $name $value" >>"$db" ;;
      alias) echo "alias $name $value" >>"$db" ;;
      include)
        if [ -d "$name" ]; then
          for file in "$name"/*.conf; do [ -e "$file" ] && read_conf "$file"; done
        elif [ -f "$name" ]; then
          read_conf "$name"
        fi
        ;;
    esac
  done <<CONF
$(sed 's/#.*//' "$1")
CONF
}
read_conf "$conf"

lookup() { sed -n "s/^$1 $2 //p" "$db" | tail -n 1; }  # KIND NAME

# expand LIST: programs of a list, aliases resolved, duplicates dropped
expand() {
  for item in $(echo "$1" | tr ':' ' '); do
    inner=$(lookup alias "$item")
    if [ "$inner" ]; then expand "$inner"; else echo "$item"; fi
  done | awk '!seen[$0]++'
}

# choose TTY PROGRAMS: first the cached one, later the successor of the last one
choose() {
  if [ -e "$last/$1" ]; then
    next=$(echo "$2" | awk -v last="$(cat "$last/$1")" 'NR == 1 { first = $0 } found { print; exit } $0 == last { found = 1 } END { if (!found) print first }')
    [ "$next" ] || next=$(echo "$2" | head -n 1)
  else
    next=$(cat "$cache/$1" 2>/dev/null)
    echo "$2" | grep -qx "$next" || next=$(echo "$2" | head -n 1)
  fi
  echo "$next" | tee "$last/$1" >"$cache/$1"
  echo "$next"
}

# create TEMPLATE TTY
create() {
  [ -e "/service/$1.$2" ] && return
  if [ ! -d "/opt/victronenergy/service-templates/$1" ]; then
    echo "ERROR: no service template for $1"
    return 1
  fi
  copy=/var/volatile/services/$1.$2
  cp -a "/opt/victronenergy/service-templates/$1" "$copy"
  sed -i "s/TTY/$2/" "$copy/run" "$copy/log/run"
  ln -s "$copy" "/service/$1.$2"
  sleep 6
}

echo "*** starting serial-starter"
while :; do
  for link in /dev/serial-starter/*; do
    [ -L "$link" ] || continue
    tty=${link##*/}
    ln -s $$ "$locks/$tty" 2>/dev/null || continue
    list=$(expand "$(cat "/run/udev-lists/$tty" 2>/dev/null || echo default)")
    if [ "$list" = ignore ]; then rm "$link" "$locks/$tty"; continue; fi
    program=$(choose "$tty" "$list")
    template=$(lookup service "$program")
    if ! create "${template:-unknown}" "$tty"; then rm "$locks/$tty"; continue; fi
    copy=/service/$template.$tty
    sed -i "s/PRODUCT/PRODUCT=test/" "$copy/run"
    echo "INFO: Start service $template.$tty"
    svc -u "$copy/log"
    if [ "$(echo "$list" | wc -l)" = 1 ]; then
      rm "$link"
      svc -u "$copy"
    else
      svc -o "$copy"
    fi
    sleep 1
  done
  sleep 2
done
