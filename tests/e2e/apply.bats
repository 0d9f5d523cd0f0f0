#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# apply, history, rollback and release of a real container that a daemon learned, and what they leave
# behind when they can't.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash

setup_file() {
	export prefix=tamis-cmd-$$ image=localhost/tamis-cmd-$$ daemon_dir=$BATS_FILE_TMPDIR/daemon
	local root=$BATS_FILE_TMPDIR/root
	pod_cgroups_note
	export pod_parents
	mkdir -p "$root"/{proc,sys,dev,etc,tmp,bin}
	cp /bin/busybox "$root/bin/sleep"
	cp "$O/tools/calls" "$root/calls"
	tar -C "$root" -cf "$BATS_FILE_TMPDIR/image.tar" .
	podman import -q "$BATS_FILE_TMPDIR/image.tar" "$image" >/dev/null
	serve early
	daemon_start "$daemon_dir" --interval 0.2 --unit 2
	export daemon_pid
}

teardown_file() {
	daemon_stop
	pod_sweep "$prefix"
	podman rmi -f "$image" >/dev/null 2>&1 || true
	pod_cgroups_restore
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

# serve NAME [OPTION...]: a container that does nothing but what it is asked for by exec.
serve() {
	pod_run "$prefix-$1" --stop-timeout 0 "${@:2}" "$image" /bin/sleep 1000000
}

key() {
	echo "podman/$prefix-$1"
}

# command NAME ARGUMENT...: on the workload, with no configuration but the daemon's own.
command_of() {
	tamis "$1" --config /dev/null "$(key "$2")" "${@:3}"
}

# field NAME FIELD: of the list.
field() {
	tamis list --json | jq -r --arg key "$(key "$1")" --arg name "$2" \
		'.workloads[] | select(.key == $key) | .[$name]'
}

# is NAME FIELD VALUE
is() {
	[[ $(field "$1" "$2") == "$3" ]]
}

# of_history NAME FILTER
of_history() {
	command_of history "$1" --json | jq -r "$2"
}

file_of() {
	echo "$daemon_dir/state/applied/$(key "$1").json"
}

# agree NAME: store and file say the same.
agree() {
	local said is
	said=$(of_history "$1" '"\(.mode) \(.generation // 0) \(.good // 0)"')
	is=$(jq -r '"\(.mode) \(.generation.number) \(.good.number // 0)"' "$(file_of "$1")" 2>/dev/null ||
		echo "observe 0 0")
	[[ $said == "$is" ]] && return
	echo "store: $said, file: $is"
	return 1
}

# learn NAME NUMBER: of a call, by one process more. Its end is the last that is learned of it.
learn() {
	pod exec "$prefix-$1" /calls "$2"
	wait_for 20 knows "$1" "$2"
	wait_for 20 knows "$1" 231
}

# The call and who made it, which may come a drain later.
knows() {
	tamis show "$(key "$1")" --json |
		json_is "any(.calls[]; .nr == $2 and .stage == \"session\" and .exe != null)"
}

@test "learned in part it is refused, one restart later accepted" {
	wait_for 20 is early state running
	run -1 command_of apply early
	[[ $output == *"tamis: $(key early): not applied: partial"* ]]
	[[ ! -e $(file_of early) ]]
	[[ $(of_history early '.generations | length') == 0 ]]
	pod restart -t 0 "$prefix-early" >/dev/null
	wait_for 20 is early starts 1
	wait_for 20 is early partial false
	command_of apply early >out
	grep -qx "$(key early): generation 1: [1-9][0-9]* calls (sha256:.*)" out
	grep -q "in force when $prefix-early next starts, on trial for 60 s" out
	agree early
	[[ $(of_history early '.generations[0].call_count') == $(field early call_count) ]]
	[[ $(stat -c %a "$(file_of early)") == 644 ]]
}

@test "from the first generation to release" {
	serve life
	wait_for 20 is life starts 1
	learn life 39 # getpid
	command_of apply life --no-trial
	agree life
	sha256sum "$(file_of life)" >before
	command_of history life --json >history.before

	learn life 186 # gettid
	command_of apply life --dry-run >out
	grep -qx '  + gettid' out
	grep -qx "to be written: $(file_of life)" out
	sha256sum -c before
	command_of history life --json | jq 'del(.generations[].lacks)' >history.after
	diff <(jq 'del(.generations[].lacks)' history.before) history.after

	command_of apply life >out
	grep -qx '  + gettid' out
	grep -q 'generation 1 takes its place if it fails' out
	agree life
	[[ $(of_history life .good) == 1 ]]
	command_of apply life | grep -q 'nothing new since it was made'
	[[ $(of_history life '.generations | length') == 2 ]]
	[[ $(jq -r .generation.digest "$(file_of life)") == $(of_history life '.generations[1].digest') ]]

	command_of rollback life | grep -q 'from generation 2 to 1 (good); in force when'
	agree life
	[[ $(of_history life '.generations[0].lacks[] | select(.name == "gettid").exe') == /calls ]]
	command_of history life | grep -q '^\* 1 .* good .* gettid'
	run -1 command_of rollback life
	[[ $output == *"no good generation before 1; 'tamis release'"* ]]

	command_of apply life --mode shadow
	agree life
	command_of rollback life 1
	[[ $(of_history life .mode) == shadow ]]
	command_of history life | grep -q 'generation 1 would have refused:'
	agree life

	command_of release life
	[[ ! -e $(file_of life) ]]
	agree life
	is life state running
	# observed as before
	learn life 110 # getppid
	command_of apply life | grep -q 'generation 3: '
}

@test "probation: what it means, what it lacks here, and where there is none" {
	local none=$PWD/nobody.sock file
	serve probe
	wait_for 20 is probe starts 1
	file=$(file_of probe)
	printf '[apply]\nkeeper = %s\n[probation podman/*]\nrule = ask\n' "$none" >conf
	tamis apply "$(key probe)" --config conf --mode probation --dry-run >out 2>err
	grep -q "^would be in probation when $prefix-probe next starts: what is learned passes; any other call is refused, until 'tamis allow' says otherwise (rule ask)$" out
	grep -qx "to be written: $file" out
	[[ ! -e $file ]]
	tamis apply "$(key probe)" --config conf --mode probation --rule learn >out 2>err
	grep -q 'any other call goes on, and is learned (rule learn)$' out
	grep -q "tamis: $(key probe): tamis-keeper can't be reached at $none (No such file or directory): until it can, starts are left to the engine's own profile" err
	grep -qE '(a signal may interrupt a call that asks|not every runtime installed here can have calls ask)' err
	agree probe
	[[ $(jq -r '"\(.rule) \(.listener)"' "$file") == "learn $none" ]]
	command_of history probe | grep -qE '^mode: +probation, generation 1 since .*, rule learn$'
	[[ $(of_history probe .rule) == learn ]]
	[[ $(field probe mode) == probation ]]
	tamis list | grep -q 'probation 1 '
	# A person's word is in the file at once, and the rest as it was.
	tamis allow "$(key probe)" --config conf bpf >out
	grep -q 'it is in probation: tamis-keeper answers so from now on' out
	jq -e '[.allowed | .. | strings] == ["bpf"]' "$file"
	tamis deny "$(key probe)" --config conf swapon
	jq -e '[.refused | .. | strings] == ["swapon"]' "$file"
	[[ $(jq -r '"\(.mode) \(.rule) \(.listener)"' "$file") == "probation learn $none" ]]
	tamis allow "$(key probe)" --config conf bpf --forget
	jq -e '[.allowed | .. | strings] == []' "$file"
	run -2 command_of apply probe --rule ask
	[[ $output == *'it goes with --mode probation'* ]]
	run -2 command_of apply probe --mode probation --rule maybe
	[[ $output == *'"maybe" is no rule: learn, ask or deny'* ]]
	command_of release probe | grep -q 'released from generation'
	[[ ! -e $file ]]
}

@test "a container without a filter is told of" {
	serve bare --security-opt seccomp=unconfined
	wait_for 20 is bare starts 1
	command_of apply bare 2>err
	grep -q 'runs without any filter, .* left alone without --unconfined' err
	command_of apply bare --unconfined 2>err
	run ! grep -q 'without any filter' err
	[[ $(jq .unconfined "$(file_of bare)") == true ]]
	agree bare
	serve priv --privileged
	wait_for 20 is priv starts 1
	command_of apply priv 2>err
	grep -q 'runs privileged: it is left alone' err
}

@test "a state directory of others is refused, nothing is written outside" {
	local state=$daemon_dir/state outside=$BATS_TEST_TMPDIR/outside
	serve others
	wait_for 20 is others starts 1
	mkdir "$outside"
	chmod o+w "$state"
	run -1 command_of apply others
	chmod o-w "$state"
	[[ $output == *"nothing was changed: $(key others): its applied file"* ]]
	agree others
	# the directory of this workload alone, lest the other containers' files go
	mkdir -p "$state/applied"
	[[ ! -e $state/applied/podman ]] || mv "$state/applied/podman" "$state/applied/kept"
	ln -s "$outside" "$state/applied/podman"
	run -1 command_of apply others
	rm "$state/applied/podman"
	[[ ! -e $state/applied/kept ]] || mv "$state/applied/kept" "$state/applied/podman"
	[[ $output == *"nothing was changed"* ]]
	[[ -z $(ls "$outside") ]]
	[[ $(of_history others '.generations | length') == 0 ]]
}

# In a mount namespace of its own, on a disk of two megabytes that somebody fills.
@test "a full disk leaves all or nothing" {
	serve full
	wait_for 20 is full starts 1
	command_of apply full --no-trial
	learn full 186
	sqlite3 "$daemon_dir/state/tamis.db" ".backup '$BATS_TEST_TMPDIR/1.db'"
	cp "$(file_of full)" 1.json
	command_of apply full --no-trial
	sqlite3 "$daemon_dir/state/tamis.db" ".backup '$BATS_TEST_TMPDIR/2.db'"
	cp "$(file_of full)" 2.json
	# shellcheck disable=SC2153
	KEY=$(key full) unshare -m --propagation private bash -s "$TAMIS" "$PWD" <<-'END'
		set -euo pipefail
		tamis=$1 dir=$2 disk=$2/disk failed=0 done=0
		mkdir "$disk"

		# On a disk with FREE pages, where generation WAS is applied, COMMAND has it be WANT or WAS.
		try() {
			local free=$1 was=$2 want=$3
			shift 3
			mount -t tmpfs -o size=2m,mode=0755 disk "$disk"
			mkdir -p "$disk/applied/${KEY%/*}"
			cp "$dir/${was#* }.db" "$disk/tamis.db"
			cp "$dir/${was#* }.json" "$disk/applied/$KEY.json"
			# what SQLite needs to open it is there before
			"$tamis" list --state "$disk" >/dev/null
			head -c 4m /dev/zero >"$disk/fill" 2>/dev/null || true
			((free == 0)) || truncate -s "-$((free * 4096))" "$disk/fill"
			if "$tamis" "$@" --config /dev/null --state "$disk" >"$dir/out" 2>&1; then
				done=$((done + 1)) was=$want
			else
				failed=$((failed + 1))
				[[ $(wc -l <"$dir/out") == 1 && $(<"$dir/out") == "tamis: "* ]] || { cat "$dir/out"; exit 1; }
			fi
			rm "$disk/fill"
			check "$free pages free, $*" "$was"
			umount "$disk"
		}

		check() {
			local store file left
			store=$("$tamis" history "$KEY" --json --config /dev/null --state "$disk" |
				jq -r '"\(.mode) \(.generation // 0)"')
			file=$(jq -r '"\(.mode) \(.generation.number)"' "$disk/applied/$KEY.json" 2>/dev/null ||
				echo "observe 0")
			left=$(find "$disk" -name '.*' -type f)
			[[ $store == "$2" && $file == "$2" && -z $left ]] && return
			echo "$1: want $2, store $store, file $file, left $left"
			cat "$dir/out"
			exit 1
		}

		for free in 0 1 2 3 4 5 6 7 8 10 12 16 24 32 48 64 128 200; do
			try "$free" "enforce 1" "enforce 2" apply "$KEY"
			try "$free" "enforce 2" "enforce 1" rollback "$KEY"
			try "$free" "enforce 2" "observe 0" release "$KEY"
		done
		echo "$done times done, $failed times refused"
		((done > 0 && failed > 0))
	END
}
