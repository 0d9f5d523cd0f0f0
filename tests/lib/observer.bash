# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The outside observer: which calls seccomp refused, to whom (tests/e2e/denials.bt). Needs base.bash.

observer_pid=${observer_pid-}
observer_log=${observer_log-}

# observer_start LOG: returns when it is seen to see.
observer_start() {
	observer_log=$1
	# tracefs in a mount namespace of its own: not every host has it mounted.
	# shellcheck disable=SC2016
	unshare -m --propagation private sh -c \
		'mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null; exec setpriv --pdeathsig TERM bpftrace -B line "$1"' \
		sh "$ROOT/tests/e2e/denials.bt" >"$observer_log" 2>&1 </dev/null 3>&- 8>&- &
	observer_pid=$!
	wait_for 30 observer_sees && return
	cat "$observer_log" >&2
	return 1
}

# Provokes a refusal and looks for it: until bpftrace is attached there is none to be found.
observer_sees() {
	gone "$observer_pid" && return 1
	"$O/tools/refused" || return 1
	sleep 0.1
	grep -q '^denied .* refused ' "$observer_log"
}

# observer_flush: what was refused before this call is in the log after it.
observer_flush() {
	local before
	before=$(grep -c '^denied .* refused ' "$observer_log")
	"$O/tools/refused"
	wait_for 10 observer_has_more "$before"
}

observer_has_more() {
	(($(grep -c '^denied .* refused ' "$observer_log") > $1))
}

observer_stop() {
	[[ -z $observer_pid ]] || end_process "$observer_pid"
	observer_pid=
}
