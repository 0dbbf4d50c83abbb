# Stand-in for Victron's run-service.sh, which is sourced by start scripts. What is known of it: it sets `tty`, offers `start`, and gives the
# port back when the program has ended. How it treats signals is not known; with START=exec-free it ignores them, the harder case.
tty=$1
start() {
  trap '' TERM INT
  "$app" "$@" &
  program=$!
  wait "$program"
  code=$?
  rm -f "/var/lock/serial-starter/$tty"
  exit "$code"
}
