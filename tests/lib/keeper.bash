# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# tamis-keeper under a manager of ours (tests/tools/keep.c), which holds its socket and descriptors and
# starts it again when it dies. Needs base.bash.

# keeper_start DIR [PROGRAM]: with DIR/state. $keeper_dir is its run directory, with $keeper_socket.
keeper_start() {
	export keeper_dir=$1/keeper keeper_state=$1/state keeper_socket=$1/keeper/keeper.sock
	keeper_log=$1/keeper.log
	mkdir -p "$keeper_state" "$keeper_dir"
	chmod 711 "$keeper_state"
	chmod 700 "$keeper_dir"
	mkdir -p "$keeper_dir/keep"
	nice -n -10 "$O/tools/keep" "$keeper_socket" "$keeper_dir/keep" "${2:-$O/tamis-keeper}" --state "$keeper_state" \
		--run "$keeper_dir" >>"$keeper_log" 2>&1 </dev/null 8>&- &
	keep_pid=$!
	keeper_lives
}

# The one that is ready now.
keeper_pid() {
	cat "$keeper_dir/keep/pid" 2>/dev/null
}

# It is ready, again if need be.
keeper_lives() {
	wait_for 20 test -s "$keeper_dir/keep/pid" || { cat "$keeper_log"; return 1; }
}

# keeper_kill: with SIGKILL; the manager starts the next.
keeper_kill() {
	local pid
	pid=$(keeper_pid) && [[ -n $pid ]] && kill -KILL "$pid" 2>/dev/null
}

# The manager leaves it at that, and starts it again.
keeper_pause() {
	kill -USR1 "$keep_pid" && wait_for 10 test ! -e "$keeper_dir/keep/pid"
}

keeper_resume() {
	kill -USR2 "$keep_pid" && keeper_lives
}

keeper_starts() {
	cat "$keeper_dir/keep/starts"
}

# What the manager holds, a name a line.
keeper_stored() {
	cat "$keeper_dir/keep/stored"
}

keeper_journal() {
	cat "$keeper_state"/keeper/journal.*
}

keeper_stop() {
	[[ -n ${keep_pid-} ]] || return 0
	end_process "$keep_pid"
	keep_pid=
}
