#!/bin/sh
# Stand-in for Victron's start-tty.sh PORT: gives the port back to serial-starter.
rm -f "/var/lock/serial-starter/$1"
