#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tamis-keeper by itself: runc, a profile by hand that asks, applied files by hand. What is answered and
# journalled; what becomes of callers when it is killed anywhere; who may not connect.

load ../lib/base.bash
load ../lib/keeper.bash

# Of x86_64 and, in the tests' calls, by number: getppid 110, getpgrp 111, getuid 102, getgid 104,
# mremap 25, vhangup 153 (which programs expect to be denied), ptrace 101 (guarded). A shell calls the first
# three by itself.
asking='["getppid", "getpgrp", "getuid", "getgid", "mremap", "vhangup", "ptrace"]'

setup_file() {
	local root=$BATS_FILE_TMPDIR/root program
	mkdir -p "$root"/{proc,sys,dev,etc,tmp,bin,keeper}
	cp /bin/busybox "$root/bin/busybox"
	for program in sh sleep true; do
		ln -s busybox "$root/bin/$program"
	done
	cp "$O/tools/asks" "$root/asks"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	prefix=tamis-keeper-$$-$BATS_TEST_NUMBER
	ids=()
	keeper_start "$PWD/d"
}

teardown() {
	local id dir
	for id in "${ids[@]}"; do
		runc delete --force "$id" 2>/dev/null || true
	done
	keeper_stop
	for dir in /sys/fs/cgroup/*/"$prefix" /sys/fs/cgroup/"$prefix"; do
		[[ ! -d $dir ]] || find "$dir" -depth -type d -exec rmdir {} + 2>/dev/null || true
	done
}

# bundle ID COMMAND [MOUNT]: that shell command, under a filter that asks.
bundle() {
	mkdir "$1"
	(cd "$1" && runc spec)
	jq --arg command "$2" --arg id "$1" --arg socket "$keeper_socket" --arg mount "${3-}" \
		--arg root "$BATS_FILE_TMPDIR/root" --arg parent "/$prefix/$1" --argjson asking "$asking" '
		.process.args = ["/bin/sh", "-c", $command] | .process.terminal = false | .process.rlimits = [] |
		.root = { path: $root, readonly: true } | del(.linux.resources) | .linux.cgroupsPath = $parent |
		.process.noNewPrivileges = true |
		if $mount == "" then . else .mounts += [{ destination: "/keeper", source: $mount,
			type: "bind", options: ["bind", "rw"] }] end |
		.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86_64"],
			listenerPath: $socket, syscalls: [{ names: $asking, action: "SCMP_ACT_NOTIFY" }] }' \
		<"$1/config.json" >"$1/new"
	mv "$1/new" "$1/config.json"
}

# start ID [COMMAND [MOUNT]]: in the background.
start() {
	local id=$prefix-$1
	ids+=("$id")
	bundle "$id" "${2-while :; do sleep 1; done}" "${3-}"
	timeout 60 runc run -d --bundle "$id" "$id" </dev/null >"$1.out" 2>&1
}

rule() {
	"$O/tools/rule" "$keeper_state" "oci/$prefix-$1" "${@:2}"
}

# asks ID ARGUMENTS...: a session.
asks() {
	timeout 120 runc exec "$prefix-$1" /asks "${@:2}"
}

journal_has() {
	keeper_journal | grep -qE "$1"
}

# journalled PATTERN: within a while, for counts come every 10 s.
journalled() {
	wait_for 30 journal_has "$1" || { keeper_journal; return 1; }
}

stored_is() {
	(($(keeper_stored | grep -c '^notify-') == $1 && $(keeper_stored | grep -c '^conn-') == 0))
}

# all_went_on FILE CALLS
all_went_on() {
	grep -q "^calls=$2 ok=$2 " "$1" || { cat "$1"; return 1; }
}

# says SECONDS PATTERN: the keeper's log.
says() {
	wait_for "$1" grep -qE "$2" "$keeper_log" || { cat "$keeper_log"; return 1; }
}

@test "learn: goes on, journalled before, counted after" {
	rule a probation learn
	start a
	asks a -n 50 25 111 >out
	all_went_on out 50
	journal_has "^call oci/$prefix-a [0-9]+:/$prefix/$prefix-a x86_64 25 continued [0-9]+ [0-9]+ asks /asks \.$"
	journal_has "^call oci/$prefix-a [0-9]+:/$prefix/$prefix-a x86_64 111 continued "
	asks a -n 100 25 >out
	all_went_on out 100
	journalled "^count oci/$prefix-a x86_64 25 continued [0-9]+ [0-9]+ \.$"
	(($(keeper_journal | grep -c "^call oci/$prefix-a [^ ]* x86_64 25 ") == 1))
	runc delete --force "$prefix-a"
	wait_for 10 stored_is 0
	(($(keeper_journal | awk '$1 == "call" && $5 == 25 { n++ } $1 == "count" && $4 == 25 { n += $6 }
		END { print n }') == 125))
}

@test "ask, deny, what a person said, what is guarded: the answer changes while it runs" {
	rule a probation ask =getuid +getgid -getpgrp
	start a
	asks a -n 10 110 >out
	grep -q 'enosys=10 ' out
	asks a -n 10 153 >out
	grep -q 'eperm=10 ' out
	asks a -n 20 102 104 >out
	all_went_on out 20
	asks a -n 20 111 101 >out
	grep -q 'ok=0 enosys=10 eperm=10 ' out
	journal_has "^call oci/$prefix-a [^ ]* x86_64 110 asked "
	journal_has "^call oci/$prefix-a [^ ]* x86_64 153 asked "
	journal_has "^call oci/$prefix-a [^ ]* x86_64 102 allowed "
	journal_has "^call oci/$prefix-a [^ ]* x86_64 104 allowed "
	journal_has "^call oci/$prefix-a [^ ]* x86_64 111 denied "
	journal_has "^call oci/$prefix-a [^ ]* x86_64 101 denied "
	rule a probation deny +getppid
	sleep 0.3
	asks a -n 20 110 25 >out
	grep -q 'ok=10 enosys=10 ' out
	journal_has "^call oci/$prefix-a [^ ]* x86_64 110 allowed "
	journal_has "^call oci/$prefix-a [^ ]* x86_64 25 denied "
	rule a probation learn -getgid
	sleep 0.3
	asks a -n 30 110 25 104 >out
	grep -q 'ok=20 enosys=10 ' out
	rule a none
	sleep 0.3
	asks a -n 40 110 25 111 102 >out
	all_went_on out 40
	journal_has "^call oci/$prefix-a [^ ]* x86_64 111 nobodys "
	asks a -n 10 101 >out
	grep -q 'eperm=10 ' out
}

@test "killed at each step while calls are made: all answered, all journalled" {
	local step n=0
	keeper_stop
	cp "$O/tools/tamis-keeper-faults" faulty
	keeper_start "$PWD/d" "$PWD/faulty"
	rule a probation learn
	start a
	asks a -n 4000 -p 3 -e 1 110 111 102 104 25 >out &
	local asking_pid=$!
	for _ in {1..12}; do
		for step in received decided journalled answered; do
			echo "$step" >faulty.fault
			wait_for 20 test ! -e faulty.fault || break 2
			((++n))
			keeper_lives
		done
		! gone "$asking_pid" || break
	done
	rm -f faulty.fault
	wait "$asking_pid"
	all_went_on out 12000
	((n >= 8))
	(($(keeper_starts) > n))
	for step in 110 111 102 104 25; do
		journal_has "^call oci/$prefix-a [^ ]* x86_64 $step continued "
	done
}

@test "killed while filters come: every one is kept, sessions go on" {
	local step i
	keeper_stop
	cp "$O/tools/tamis-keeper-faults" faulty
	keeper_start "$PWD/d" "$PWD/faulty"
	rule a probation learn
	start a
	for step in stored peeked kept; do
		for i in 1 2 3; do
			echo "$step" >faulty.fault
			asks a -n 100 110 >out
			keeper_lives
			[[ ! -e faulty.fault ]]
			all_went_on out 100
		done
	done
	# The one instruction where it is nobody's: whoever connected isn't let wait.
	echo accepted >faulty.fault
	asks a -n 100 110 >out || true
	keeper_lives
	asks a -n 100 110 >out
	all_went_on out 100
	wait_for 10 stored_is 1
}

@test "killed at random: no call hangs or fails, sessions start meanwhile, no line is lost" {
	local i pids=() n=0
	rule a probation learn
	start a
	for i in 1 2 3; do
		asks a -n 3000 -e 1 110 111 102 104 25 >"out$i" &
		pids+=($!)
	done
	while ! gone "${pids[0]}"; do
		keeper_kill && ((++n))
		sleep "0.0$((RANDOM % 10))"
		if ((n % 20 == 10)); then
			asks a -n 10 110 >session
			all_went_on session 10
		fi
	done
	for i in 1 2 3; do
		wait "${pids[i - 1]}"
		all_went_on "out$i" 3000
	done
	((n >= 10))
	keeper_lives
	for i in 110 111 102 104 25; do
		journal_has "^call oci/$prefix-a [^ ]* x86_64 $i continued "
	done
	runc delete --force "$prefix-a"
	wait_for 10 stored_is 0
}

@test "away: connections and calls wait for it" {
	rule a probation learn
	start a
	keeper_pause
	asks a -n 20 110 >out &
	local pid=$!
	start b
	sleep 1
	fails gone "$pid"
	keeper_resume
	wait "$pid"
	all_went_on out 20
	asks b -n 20 110 >out
	all_went_on out 20
	wait_for 10 stored_is 2
}

# py WHAT: what a runtime doesn't do, to the socket.
py() {
	timeout 60 /usr/bin/python3 - "$keeper_socket" "$@" <<-'EOT'
		import os, socket, sys, time
		s = socket.socket(socket.AF_UNIX)
		s.connect(sys.argv[1])
		what = sys.argv[2]
		r, w = os.pipe()
		if what == "garbage":
		    s.sendall(os.urandom(100000))
		elif what == "pipe":
		    socket.send_fds(s, [b"{}"], [r])
		elif what == "two":
		    socket.send_fds(s, [b"{}"], [r, w])
		elif what == "many":
		    socket.send_fds(s, [b"{}"], [r] * 200)
		elif what == "memfd":
		    socket.send_fds(s, [b"{}"], [os.memfd_create("seccomp notify")])
		elif what == "late":
		    s.send(b"{")
		    time.sleep(0.2)
		    try:
		        socket.send_fds(s, [b"}"], [r])
		    except BrokenPipeError:
		        pass
		elif what == "nothing":
		    pass
		s.settimeout(30)
		try:
		    s.recv(1)
		except ConnectionResetError:
		    pass
	EOT
}

descriptors() {
	local dir=/proc/$1/fd
	find "$dir" -mindepth 1 -maxdepth 1 | wc -l
}

has_descriptors() {
	(($(descriptors "$1") == $2))
}

@test "who sends something else is cut off with a line, and leaves nothing open" {
	local pid before
	rule a probation learn
	start a
	asks a -n 10 110 >out
	pid=$(keeper_pid)
	wait_for 10 stored_is 1
	before=$(descriptors "$pid")
	py garbage
	says 10 'it sent no descriptor'
	py pipe
	says 10 "what it sent isn't a filter's descriptor"
	py memfd
	py two
	says 10 'it sent more than one descriptor'
	py many
	py late
	py nothing
	says 15 'it sent nothing'
	wait_for 10 has_descriptors "$pid" "$before"
	[[ $(keeper_pid) == "$pid" ]]
	asks a -n 10 110 >out
	all_went_on out 10
}

@test "more than 256 connections that say nothing: real ones get through" {
	rule a probation learn
	start a
	timeout 60 /usr/bin/python3 - "$keeper_socket" <<-'EOT' &
		import socket, sys, time
		all = []
		for _ in range(400):
		    s = socket.socket(socket.AF_UNIX)
		    s.connect(sys.argv[1])
		    all.append(s)
		time.sleep(30)
	EOT
	local pid=$!
	sleep 1
	asks a -n 10 110 >out
	all_went_on out 10
	kill "$pid"
}

@test "not root, or from inside of a container: cut off" {
	local id=$prefix-a
	rule a probation learn
	chmod 711 "$keeper_dir"
	chmod 666 "$keeper_socket"
	(cd "$keeper_dir" && setpriv --reuid 65534 --regid 65534 --clear-groups /usr/bin/python3 - keeper.sock) <<-'EOT'
		import socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.connect(sys.argv[1])
		s.settimeout(30)
		assert s.recv(1) == b""
	EOT
	says 10 'is of uid 65534, not root'
	start a 'while :; do sleep 1; done' "$keeper_dir"
	wait_for 10 stored_is 1
	# A filter of its own within, which nobody keeps: its calls come back.
	asking=[]
	start b 'while :; do sleep 1; done' "$keeper_dir"
	timeout 60 runc exec "$prefix-b" /asks -s /keeper/keeper.sock -n 10 110 >out
	grep -q 'enosys=10 ' out
	says 10 'is in a container'
	stored_is 1
	[[ -z $(keeper_journal | grep "oci/$prefix-b") ]]
	[[ -n $id ]]
}

@test "a disk that is full: calls are answered, lines are written when there is room" {
	keeper_stop
	unshare -m bash -e <<-EOT
		mkdir -p '$PWD/d/state'
		mount -t tmpfs -o size=64k,mode=711 none '$PWD/d/state'
		. '$ROOT/tests/lib/base.bash'
		. '$ROOT/tests/lib/keeper.bash'
		keeper_start '$PWD/d'
		dd if=/dev/zero of='$PWD/d/state/fill' bs=4k 2>/dev/null || true
		timeout 60 '$O/tools/asks' -s '$PWD/d/keeper/keeper.sock' -n 6000 \$(seq 500 559) >out
		cat '$PWD/d/keeper.log' >log
		rm '$PWD/d/state/fill'
		timeout 60 '$O/tools/asks' -s '$PWD/d/keeper/keeper.sock' -n 10 107 >>out
		sleep 1
		keeper_stop
		keeper_journal >journal
	EOT
	# The kernel has none of these numbers.
	grep -q '^calls=6000 ok=0 enosys=6000 ' out
	grep -q "the journal can't be written" log
	(($(grep -c "the journal can't be written" log) == 1))
	local i
	for i in {500..559} 107; do
		grep -q "^call [^ ]* [^ ]* x86_64 $i nobodys " journal || { cat journal; return 1; }
	done
}

@test "more than a thousand times a minute: said and journalled, once" {
	rule a probation learn
	start a
	asks a -n 5000 25 >out
	all_went_on out 5000
	journal_has "^hot oci/$prefix-a x86_64 25 1001 [0-9]+ \.$"
	says 1 "oci/$prefix-a asks for mremap more than 1000 times a minute: restart it"
	(($(keeper_journal | grep -c '^hot ') == 1))
}

@test "a timer every 3 ms, 50,000 calls: all go on; a state of 600 KB is taken" {
	rule a probation learn
	start a
	asks a -n 50000 -t 3 110 111 >out
	all_went_on out 50000
	echo "# $(<out)" >&3
	ids+=("$prefix-b")
	rule b probation learn
	bundle "$prefix-b" 'while :; do sleep 1; done'
	head -c 600000 /dev/zero | tr '\0' x >large
	jq --rawfile large large '.annotations = { large: $large }' <"$prefix-b/config.json" >new
	mv new "$prefix-b/config.json"
	timeout 60 runc run -d --bundle "$prefix-b" "$prefix-b" </dev/null >b.out 2>&1
	asks b -n 10 25 >out
	all_went_on out 10
	wait_for 10 stored_is 2
}

@test "more filters than there are descriptors for: said, and the keeper goes on" {
	local refused
	keeper_stop
	(
		ulimit -n 700
		keeper_start "$PWD/d"
		echo "$keep_pid" >keep.pid
	)
	keep_pid=$(<keep.pid)
	# 380 of these 420 have room
	timeout 120 "$O/tools/asks" -s "$keeper_socket" -p 420 -n 4 -e 1500 25 >out
	cat out
	refused=$(sed 's/.* enosys=\([0-9]*\) .*/\1/' out)
	((refused > 0 && refused <= 4 * 40))
	says 10 "a filter isn't kept, its calls fail with ENOSYS"
	wait_for 10 stored_is 0
	timeout 60 "$O/tools/asks" -s "$keeper_socket" -n 10 25 >out
	all_went_on out 10
	keeper_lives
}

@test "without a manager: a socket of its own, one keeper at a time, a directory that is root's" {
	keeper_stop
	rm -rf d
	mkdir -m 711 state
	"$O/tamis-keeper" --state "$PWD/state" --run "$PWD/run" 2>log &
	local pid=$!
	wait_for 10 test -S run/keeper.sock
	[[ $(stat -c '%a %u' run/keeper.sock) == '600 0' && $(stat -c %a run) == 700 ]]
	timeout 60 "$O/tools/asks" -s "$PWD/run/keeper.sock" -n 10 25 >out
	all_went_on out 10
	fails "$O/tamis-keeper" --state "$PWD/state" --run "$PWD/run" 2>second
	grep -q 'keeper.sock: Address already in use' second
	kill -KILL "$pid"
	wait "$pid" || true
	# what is left behind is in nobody's way
	"$O/tamis-keeper" --state "$PWD/state" --run "$PWD/run" 2>>log &
	pid=$!
	connects() {
		timeout 60 "$O/tools/asks" -s "$PWD/run/keeper.sock" -n 10 25 >out 2>/dev/null
	}
	wait_for 10 connects
	all_went_on out 10
	kill -TERM "$pid"
	wait "$pid"
	[[ ! -e run/keeper.sock ]]
	chmod 777 run
	fails "$O/tamis-keeper" --state "$PWD/state" --run "$PWD/run" 2>third
	grep -q 'keeper.sock: Operation not permitted' third
	fails "$O/tamis-keeper" --nonsense 2>usage
	grep -q '^tamis-keeper: usage:\|^tamis: usage:' usage
}
