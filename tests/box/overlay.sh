#!/bin/bash
# Where another extension has covered the service templates with an overlay whose upper layer lies on /data, the driver's template goes there and
# the root file system stays as it was; a firmware update does not remove it. The overlay is a bind mount here, which looks the same from above.
# shellcheck source=tests/box/box.sh
. "$(dirname "$0")/box.sh"

box_new
adapter jbd LltJbd
plug ttyUSB0 "$(pty jbd)"
cat >"$box/data/rcS.local" <<'RC'
#!/bin/sh
below=/opt/victronenergy/service-templates
above=/data/overlay/service-templates
[ -d $above ] || { mkdir -p /data/overlay && cp -a $below $above; }
mount -o bind $above $below
RC
chmod 755 "$box/data/rcS.local"
# A link of an old installation, outside of the overlay.
ln -s $home "$box/root/opt/victronenergy/dbus-serialbattery"

# below_the_overlay COMMAND: in the root file system as it is below the overlay
below_the_overlay() { in_mounts sh -c "mkdir -p $box/below && mount --bind $box/live $box/below && cd $box/below && $1; result=\$?; cd / && umount $box/below; exit \$result"; }

step "Installation"
box_power_on
unpack_package
inside sh /data/new/dbus-serialbattery/install.sh
wait_for 90 "the battery is on D-Bus" on_bus ttyUSB0
check "the template is in the upper layer" test -x "$box/data/overlay/service-templates/dbus-serialbattery/run"
check "the root file system has none" below_the_overlay "test ! -e opt/victronenergy/service-templates/dbus-serialbattery"
check "the old link is gone" below_the_overlay "test ! -L opt/victronenergy/dbus-serialbattery"
check_not "the root file system is read-only again" inside touch /written

step "A firmware update"
box_update_firmware
wait_for 90 "the battery is on D-Bus" on_bus ttyUSB0
check "the root file system still has no template" below_the_overlay "test ! -e opt/victronenergy/service-templates/dbus-serialbattery"

step "Disable"
inside sh $home/disable.sh
check_not "no template" test -e "$box/data/overlay/service-templates/dbus-serialbattery"
wait_for 10 "no battery on D-Bus" off_bus ttyUSB0
