#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# No loss: short lives, many threads, moves, collisions, deaths of the daemon. What is made is
# known (tests/tools), and each set has to be that: complete, and with nothing foreign in it.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/sensor.bash

setup() {
	sensor_prefix=tamis-noloss-$$-$BATS_TEST_NUMBER
	cd "$BATS_TEST_TMPDIR" || return
	holder=0
	mkdir wanted names
}

teardown() {
	sensor_prefix=tamis-noloss-$$-$BATS_TEST_NUMBER
	daemon_stop || true
	cgroups_sweep
	((holder == 0)) || end_process "$holder"
}

observe() {
	daemon_start "$BATS_TEST_TMPDIR/daemon" --interval 0.2 --watch "/$sensor_prefix-*" "$@"
}

# --- jobs: lines "NAME TOKEN..." for tests/tools/calls --------------------------------------
# Names end in a dot: none is a part of another, which would answer for it.

# What a job calls, by the tool's own account of it.
want_jobs() {
	local name tokens
	while read -r name tokens; do
		# shellcheck disable=SC2086
		"$O/tools/calls" -n $tokens >"wanted/$name"
	done <"$1"
}

# Each job's set, of the stage workload, is what it has to be.
jobs_equal() {
	local name tokens
	while read -r name tokens; do
		learned "$name" "names/$name" || echo "$name: nothing exported"
	done <"$1"
	sysset many wanted names
}

# The daemon sees the whole host: what others run beside is none of this test's.
our_workloads() {
	tamis list --json |
		jq --arg our "cgroup/$sensor_prefix-" '[.workloads[] | select(.key | startswith($our))]'
}

run_batch() {
	"$O/tools/batch" -j "$1" "$(cgroup2_mount)/$sensor_prefix-" "$O/tools/calls"
}

# Job K of 1,000: ten calls that spell K in binary, and one of four ways to make them.
short_job() {
	local k=$1 bit tokens=''
	for bit in 0 1 2 3 4 5 6 7 8 9; do
		tokens+=" $((480 + 2 * bit + (k >> bit & 1)))"
		((bit != 3)) || [[ $((k % 4)) != [13] ]] || tokens+=' fork'
		((bit != 6)) || [[ $((k % 4)) != [23] ]] || tokens+=' exec'
	done
	echo "short$k.$tokens"
}

# In a store of their own: an owner has at most 1,000 workloads, and 1,000 leave no room for one more.
short_half() {
	local k
	rm -rf daemon/state names wanted
	mkdir wanted names
	for ((k = $1; k < $1 + 500; k++)); do
		short_job "$k"
	done >joblist
	want_jobs joblist
	[[ $(cat wanted/* | sort -u | wc -l) -ge 20 ]]
	observe
	run_batch 4 <joblist >>times
	daemon_stop
	jobs_equal joblist
	[[ $(our_workloads | jq 'map(select(.partial | not)) | length') == 500 ]]
}

@test "1,000 short processes, 4 at a time, each in a cgroup of its own" {
	short_half 0
	short_half 500
	[[ $(wc -l <times) == 1000 ]]
	sort -k 2n times | awk '{ us[NR] = $2 }
		END { printf "# lives: median %d us, 95%% %d us, max %d us\n", us[500], us[950], us[1000] }'
}

@test "64 threads that make 400 calls" {
	observe
	strace -f -n -s 0 --quiet=path-resolution -o strace.out "$O/tools/hammer" 0
	sysset strace "$(head -n 1 strace.out | cut -d ' ' -f 1)" strace.out >base
	"$O/tools/hammer" -n 0 | sed "s/^/$(uname -m) /" | sort -u - base >all
	[[ $("$O/tools/hammer" -n 0 | wc -l) == 400 ]]
	cgroup_make hammer
	place=$(mktemp -d /tmp/tamis-hammer.XXXXXX) # a clone below /root is nobody's to look into
	chmod 755 "$place"
	cp "$O/tools/hammer" "$place"
	"$O/tools/launch" -u 65534 "$(cgroup_dir hammer)" "$place/hammer" 30
	rm -r "$place"
	cgroup_remove hammer
	daemon_stop
	must_equal hammer all
}

# --- moves ----------------------------------------------------------------------------------

# movers_equal MOVERS_OUTPUT A B: B, where only the test's own calls were made, has exactly them;
# A has those and what starting and ending threads takes, which `movers ... 0` shows.
movers_equal() {
	sed -n 's/^B //p' "$1" >b
	{ sed -n 's/^A //p' "$1"; cat base; } | sort -u >a
	[[ $(wc -l <b) -ge 60 ]]
	must_equal "$3" b
	must_equal "$2" a
}

@test "9 threads, one process, moved between cgroups at random under load" {
	local seed=$RANDOM
	echo "seed $seed"
	observe --unit 1
	cgroup_make base && cgroup_make base2 && cgroup_make a && cgroup_make b
	"$O/tools/movers" "$(cgroup_dir base)" "$(cgroup_dir base2)" 0
	"$O/tools/movers" -s "$seed" "$(cgroup_dir a)" "$(cgroup_dir b)" 900 >moved
	daemon_stop
	learned base names.base && sysset names names.base >base
	movers_equal moved a b
}

# The threads of one process in two cgroups: those have to be threaded ones of one domain, and the
# daemon watches each for itself.
@test "9 threads moved between cgroups one by one at random under load" {
	local seed=$RANDOM top dir
	echo "seed $seed"
	top=$(cgroup_dir top)
	mkdir "$top"
	daemon_start "$BATS_TEST_TMPDIR/daemon" --interval 0.2 --unit 1 \
		--watch "/$sensor_prefix-top/$sensor_prefix-*"
	for dir in base base2 a b; do
		mkdir "$top/$sensor_prefix-$dir"
		echo threaded >"$top/$sensor_prefix-$dir/cgroup.type"
	done
	"$O/tools/movers" -t "$top/$sensor_prefix-base" "$top/$sensor_prefix-base2" 0
	"$O/tools/movers" -t -s "$seed" "$top/$sensor_prefix-a" "$top/$sensor_prefix-b" 900 >moved
	daemon_stop
	sensor_prefix=${top##*/}/$sensor_prefix
	learned base names.base && sysset names names.base >base
	movers_equal moved a b
}

# --- the cache ------------------------------------------------------------------------------

# Every number once in each process and never again, with calls in between by which the others
# take the slot over: a bit that was taken for one's own can't be made up for.
collide() {
	local p
	for ((p = 0; p < 16; p++)); do
		echo "p$p. noise:40 $({ seq 337 423; seq 481 559; } | awk -v p=$p '(NR * 7 + p) % 16 < 11' |
			shuf | paste -s -d ' ')"
	done >joblist
	want_jobs joblist
	observe --cache-slots 1 --unit 1 "$@"
	run_batch 16 <joblist >/dev/null
	daemon_stop
	jobs_equal joblist
	[[ $(sort -u wanted/* | wc -l) -gt 160 && $(sort -u wanted/p0. | wc -l) -lt 130 ]]
}

@test "tasks that collide in one cache slot" {
	collide
}

@test "tasks that collide in one cache slot, portable front door" {
	collide --portable
}

@test "tasks that collide in one cache slot, legacy front door" {
	collide --legacy
}

@test "calls before the exec don't hide the same calls after it" {
	observe
	cgroup_make both
	"$O/tools/launch" -c 110 -c 500 -c 501 "$(cgroup_dir both)" "$O/tools/calls" noise:2 500 502
	cgroup_remove both
	daemon_stop
	"$O/tools/calls" -n noise:2 500 502 >wanted/both
	must_equal both wanted/both
	learned both setup.names setup
	sysset names setup.names >setup
	grep -qx 'x86_64 110' setup && grep -qx 'x86_64 500' setup && grep -qx 'x86_64 501' setup
	[[ $(grep -cx 'x86_64 502' setup) == 0 ]]
}

@test "numbers out of range are counted, in no set" {
	observe
	cgroup_make range
	in_cgroup range "$O/tools/calls" 500 576 1000 65536 1073741863
	cgroup_remove range
	daemon_stop
	"$O/tools/calls" -n 500 >wanted/range
	must_equal range wanted/range
	tamis show "$(workload_key range)" --json | json_is '.lost.range == 4'
}

# --- deaths of the daemon ---------------------------------------------------------------------

# A mount namespace with a bpffs that outlives daemons: pins die with it, not with them.
hold_bpffs() {
	mkdir bpf daemon
	daemon_dir=$PWD/daemon
	# shellcheck disable=SC2016
	unshare -m --propagation private sh -c \
		'mount -t bpf tamis "$1" && : >"$1.mounted" && exec sleep 1000' sh "$PWD/bpf" 3>&- &
	holder=$!
	wait_for 5 test -e bpf.mounted
}

# mortal [OPTION...]: the daemon in that namespace, in the background, not waited for.
mortal() {
	nsenter -t "$holder" -m "$TAMIS" daemon --state "$PWD/daemon/state" --bpffs "$PWD/bpf/tamis" \
		--interval 0.2 --watch "/$sensor_prefix-*" "$@" >>daemon/log 2>&1 </dev/null 3>&- &
	daemon_pid=$!
}

started_again() {
	[[ $(grep -c ready daemon/log) -gt $1 ]]
}

# The same, until it observes.
mortal_ready() {
	local before
	before=$(grep -c ready daemon/log 2>/dev/null) || before=0
	mortal "$@"
	wait_for 15 started_again "$before"
}

kill_daemon() {
	local pid=$daemon_pid
	daemon_pid=
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null || true
}

store_is_sound() {
	[[ $(sqlite3 daemon/state/tamis.db 'PRAGMA integrity_check') == ok ]]
}

# Eight that call a new number every 80 ms, and a stream of short ones.
load_start() {
	local p k
	for ((p = 0; p < 8; p++)); do
		echo "long$p. pace:80 $({ seq 337 423; seq 481 559; } | awk -v p=$p 'NR % 8 != p' |
			paste -s -d ' ')"
	done >joblist.long
	for ((k = 0; k < 400; k++)); do
		echo "short$k. pace:15 $((480 + k % 40)) $((520 + k % 37)) fork $((340 + k % 80))"
	done >joblist.short
	cat joblist.long joblist.short >joblist
	want_jobs joblist
	run_batch 8 <joblist.long >/dev/null 3>&- &
	long=$!
	run_batch 2 <joblist.short >/dev/null 3>&- &
	short=$!
}

@test "kill -9 at 20 random moments under load, pinned: nothing is lost" {
	local i
	hold_bpffs
	mortal_ready
	load_start
	for ((i = 0; i < 20; i++)); do
		sleep "0.$((RANDOM % 700 + 10))"
		kill_daemon
		sleep "0.$((RANDOM % 300 + 10))"
		store_is_sound
		mortal
	done
	wait "$long" && wait "$short"
	kill_daemon
	mortal_ready
	daemon_stop
	store_is_sound
	jobs_equal joblist
	our_workloads | json_is 'all(.lost.gaps == 0)'
}

@test "kill -9 at 20 random moments, not pinned: the gaps are counted" {
	local i
	hold_bpffs
	mortal_ready --no-pin
	load_start
	for ((i = 0; i < 20; i++)); do
		sleep "0.$((RANDOM % 700 + 10))"
		kill_daemon
		store_is_sound
		mortal --no-pin
	done
	wait "$long" && wait "$short"
	wait_for 15 grep -q . daemon/log
	daemon_stop
	store_is_sound
	for ((i = 0; i < 8; i++)); do
		learned "long$i." names/x
		sysset names names/x >got
		sysset subset got "wanted/long$i."
		tamis show "$(workload_key "long$i.")" --json | json_is '.lost.gaps > 0 and .partial'
	done
}

@test "one death, not pinned: what was stored stays, what follows is seen, one gap" {
	hold_bpffs
	mortal_ready --no-pin
	cgroup_make one
	in_cgroup one "$O/tools/calls" 500 pace:3000 501 pace:0 502 3>&- &
	calls=$!
	sleep 1
	kill_daemon
	mortal_ready --no-pin
	wait "$calls"
	cgroup_remove one
	daemon_stop
	"$O/tools/calls" -n 500 pace:1 501 pace:0 502 >wanted/one
	tamis show "$(workload_key one)" --json | json_is '.lost.gaps == 1 and .partial'
	must_equal one wanted/one
}

@test "SIGTERM drains and exits 0; what is called while it is down is there after" {
	hold_bpffs
	mortal_ready --interval 3600
	cgroup_make term
	in_cgroup term "$O/tools/calls" 500 501
	daemon_stop
	"$O/tools/calls" -n 500 501 >wanted/term
	must_equal term wanted/term
	# in a cgroup that was there, and in one that came and went meanwhile
	in_cgroup term "$O/tools/calls" 502
	echo "down 503 504" | run_batch 1
	mortal_ready --interval 3600
	daemon_stop
	"$O/tools/calls" -n 500 501 502 >wanted/term
	"$O/tools/calls" -n 503 504 >wanted/down
	must_equal term wanted/term
	must_equal down wanted/down
	tamis show "$(workload_key term)" --json | json_is '.starts == 2 and (.partial | not)'
}

# --- units --------------------------------------------------------------------------------------

@test "last seen is true to the sampling unit" {
	observe --unit 1
	cgroup_make unit
	in_cgroup unit "$O/tools/calls" 500 noise:1 pace:100 $(printf '501 %.0s' {1..40}) pace:0 502
	cgroup_remove unit
	daemon_stop
	tamis show "$(workload_key unit)" --json >show.json
	jq -e '[.calls[] | select(.stage == "workload") | { (.name): . }] | add as $call
		| ($call["#501"].last - $call["#500"].last) >= 2
		and ($call["getppid"].last - $call["getppid"].first) >= 2
		and ($call["#502"].first - $call["#500"].first) >= 2' show.json
}
