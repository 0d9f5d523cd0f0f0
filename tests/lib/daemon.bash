# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A private tamis daemon: its own store, its own bpffs in a mount namespace that ends with it.
# Needs base.bash.

daemon_dir=${daemon_dir-}
daemon_pid=${daemon_pid-}

# daemon_start DIR [OPTION...]: returns when it watches.
daemon_start() {
	daemon_spawn "$@"
	wait_for 60 daemon_ready && return
	cat "$daemon_dir/log" >&2
	daemon_stop
	return 1
}

# daemon_spawn DIR [OPTION...]: doesn't wait for that.
daemon_spawn() {
	daemon_dir=$1
	shift
	mkdir -p "$daemon_dir/bpf"
	# shellcheck disable=SC2016
	unshare -m --propagation private sh -c \
		'd=$1; shift; mount -t bpf tamis "$d/bpf" && exec setpriv --pdeathsig TERM "$@"' sh "$daemon_dir" \
		"$TAMIS" daemon --config /dev/null --state "$daemon_dir/state" --bpffs "$daemon_dir/bpf/tamis" "$@" \
		>"$daemon_dir/log" 2>&1 </dev/null 3>&- 8>&- &
	daemon_pid=$!
	echo "$daemon_pid" >"$daemon_dir/pid"
}

daemon_ready() {
	gone "$daemon_pid" && return 1
	grep -q 'ready: ' "$daemon_dir/log"
}

# The last drain is in the store when this returns. The daemon's exit status.
daemon_stop() {
	local pid=$daemon_pid rc=0
	[[ -n $pid ]] || return 0
	daemon_pid=
	kill -TERM "$pid" 2>/dev/null
	wait_for 15 gone "$pid" || kill -KILL "$pid"
	wait "$pid" || rc=$?
	((rc != 127)) || rc=0 # some other shell's child
	rmdir "$daemon_dir/bpf" 2>/dev/null || true
	return $rc
}

# tamis COMMAND...: on that daemon's store.
tamis() {
	local command=$1
	shift
	"$TAMIS" "$command" --state "$daemon_dir/state" "$@"
}

# Its syscall program isn't attached.
daemon_at_rest() {
	local fds
	fds=$(cat "/proc/$daemon_pid"/fdinfo/* 2>/dev/null)
	[[ $fds == *pos:* && $fds != *sys_enter* ]]
}
