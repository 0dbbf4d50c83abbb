#!/bin/sh
# Process 1 of the box: the boot of Venus OS as far as it matters, in its order.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
cp -a /opt/victronenergy/service/. /service/
[ ! -x /data/rcS.local ] || /data/rcS.local

for archive in /run/media/*/venus-data*.tar.gz; do  # USB sticks and SD cards
  [ -e "$archive" ] || continue
  hooks=$(mktemp -d)
  tar -xzf "$archive" -C "$hooks" rc
  [ ! -e "$hooks/rc/pre-hook.sh" ] || sh "$hooks/rc/pre-hook.sh"
  result=success
  tar -xzf "$archive" -C /data || result=extraction-failed
  rm -rf /data/rc  # this busybox can not exclude it
  [ ! -e "$hooks/rc/post-hook.sh" ] || sh "$hooks/rc/post-hook.sh" $result
done

svscan /service >/run/svscan.log 2>&1 &
[ ! -x /data/rc.local ] || /data/rc.local
touch /run/booted
wait
