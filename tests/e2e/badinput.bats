#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Bad input: one line that names the thing, exit status 2 for wrong usage and 1 for what failed,
# and nothing half-written.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/sensor.bash

# A store with two workloads whose names share a part, as a daemon left it.
setup_file() {
	export sensor_prefix=tamis-bad-$$ DIR=$BATS_FILE_TMPDIR
	local name
	daemon_start "$DIR/daemon" --interval 0.2 --watch "/$sensor_prefix-*"
	for name in twin-one twin-two; do
		cgroup_make "$name"
		in_cgroup "$name" /bin/true
		cgroup_remove "$name"
	done
	daemon_stop
	"$TAMIS" export twin-one --state "$DIR/daemon/state" -f oci -o "$DIR/good.json"
}

teardown_file() {
	cgroups_sweep
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	state=$BATS_FILE_TMPDIR/daemon/state
	DIR=$BATS_FILE_TMPDIR
}

# fails STATUS REGEX COMMAND...: that status within 10 s, one line on stderr, "tamis: " and
# something that matches; nothing on stdout.
fails() {
	local want=$1 regex=$2 got=0
	shift 2
	timeout 10 "$@" >out 2>err </dev/null || got=$?
	if ((got == want)) && [[ $(wc -l <err) == 1 && ! -s out ]] &&
		grep -qE "^tamis: .*($regex)" err; then
		return 0
	fi
	echo "$*: status $got (not $want?), stdout and stderr (one line, /$regex/):"
	cat out err
	return 1
}

# No file but those that the test itself puts there.
only_files() {
	rm -f out err
	[[ $(find . -type f | sort | paste -s -d ' ') == "$*" ]] || { find .; return 1; }
}

# --- usage ------------------------------------------------------------------------------------

@test "no command, an unknown command" {
	fails 2 'command' "$TAMIS"
	fails 2 'frobnicate' "$TAMIS" frobnicate
	fails 2 'frobnicate' "$TAMIS" --frobnicate
}

@test "an unknown option of each command" {
	local command
	for command in daemon record list show export diff run forget merge prune check; do
		fails 2 'frobnicate' "$TAMIS" "$command" --frobnicate
		fails 2 '"?-@' "$TAMIS" "$command" -@
	done
}

@test "an option's argument is missing" {
	fails 2 'state' "$TAMIS" daemon --state
	fails 2 'state' "$TAMIS" list --state
	fails 2 'state' "$TAMIS" show x --state
	fails 2 '"?-f' "$TAMIS" export x -f
	fails 2 '"?-o' "$TAMIS" export x -f oci -o
	fails 2 '"?-o' "$TAMIS" record -o
	fails 2 'policy' "$TAMIS" run --policy
	fails 2 '"?-o' "$TAMIS" merge a b -o
	fails 2 'gone-for' "$TAMIS" prune --gone-for
}

@test "an argument is missing, or one too many" {
	fails 2 'record' "$TAMIS" record
	fails 2 'record' "$TAMIS" record --
	fails 2 'show' "$TAMIS" show
	fails 2 'export' "$TAMIS" export -f oci
	fails 2 'export' "$TAMIS" export x
	fails 2 'diff' "$TAMIS" diff a
	fails 2 'run' "$TAMIS" run -- true
	fails 2 'run' "$TAMIS" run --policy "$DIR/good.json" --
	fails 2 'extra' "$TAMIS" list extra
	fails 2 'extra' "$TAMIS" check extra
	fails 2 'extra' "$TAMIS" daemon extra
	fails 2 'extra' "$TAMIS" show x extra
	fails 2 'extra' "$TAMIS" export x extra -f oci
	fails 2 'extra' "$TAMIS" diff a b extra
	fails 2 'forget' "$TAMIS" forget
	fails 2 'extra' "$TAMIS" forget x read extra
	fails 2 'merge' "$TAMIS" merge a
	fails 2 'extra' "$TAMIS" prune extra
}

@test "values that options don't take" {
	fails 2 'parchment' "$TAMIS" export twin-one --state "$state" -f parchment
	fails 2 'encore' "$TAMIS" export twin-one --state "$state" -f names --stage encore
	fails 2 'gvisor' "$TAMIS" export twin-one --state "$state" -f oci --runtime gvisor
	fails 2 'parchment' "$TAMIS" record -f parchment -- true
	fails 2 'soon' "$TAMIS" prune --gone-for soon --state "$state"
	fails 2 '30' "$TAMIS" prune --fold-after 30 --state "$state"
	fails 2 'a/../b' "$TAMIS" merge twin-one twin-two -o a/../b --state "$state"
	fails 2 'interval' "$TAMIS" daemon --interval 0 --state new
	fails 2 'interval' "$TAMIS" daemon --interval -1 --state new
	fails 2 'interval' "$TAMIS" daemon --interval soon --state new
	fails 2 'interval' "$TAMIS" daemon --interval 1e99 --state new
	fails 2 'unit' "$TAMIS" daemon --unit 99999999999999999999 --state new
	fails 2 'cache-slots' "$TAMIS" daemon --cache-slots 3 --state new
	fails 2 'map-entries' "$TAMIS" daemon --map-entries many --state new
	only_files
}

# --- workloads --------------------------------------------------------------------------------

@test "an unknown workload" {
	fails 1 'nosuch' "$TAMIS" show nosuch --state "$state"
	fails 1 'nosuch' "$TAMIS" export nosuch --state "$state" -f oci -o new
	fails 2 'nosuch' "$TAMIS" diff nosuch twin-one --state "$state"
	fails 2 'nosuch' "$TAMIS" diff twin-one nosuch --state "$state"
	fails 1 'nosuch' "$TAMIS" forget nosuch --state "$state"
	fails 1 'nosuch' "$TAMIS" merge twin-one nosuch --state "$state"
	only_files
}

@test "a workload's name that would break the line is escaped" {
	fails 1 'no\\x0asuch' "$TAMIS" show $'no\nsuch' --state "$state"
	fails 1 '\\x1b' "$TAMIS" show $'\e[31m' --state "$state"
}

@test "an ambiguous workload names the candidates" {
	fails 1 'twin-one.*twin-two' "$TAMIS" show twin --state "$state"
	fails 1 'twin-one.*twin-two' "$TAMIS" export twin --state "$state" -f oci -o new
	fails 2 'twin-one.*twin-two' "$TAMIS" diff twin twin-one --state "$state"
	fails 1 'twin-one.*twin-two' "$TAMIS" forget twin --state "$state"
	fails 1 'twin-one.*twin-two' "$TAMIS" merge twin-one twin --state "$state"
	only_files
}

@test "a call that no table has, or that was never seen; a workload and itself" {
	sqlite3 "$state/tamis.db" .dump >before
	fails 1 'frobnicate' "$TAMIS" forget twin-one frobnicate --state "$state"
	fails 1 'fro\\x0ab' "$TAMIS" forget twin-one $'fro\nb' --state "$state"
	fails 1 'z80' "$TAMIS" forget twin-one z80:read --state "$state"
	fails 1 'never seen' "$TAMIS" forget twin-one kexec_load --state "$state"
	fails 1 'twin-one.*twice' "$TAMIS" merge twin-one twin-two twin-one --state "$state"
	sqlite3 "$state/tamis.db" .dump | cmp before -
	only_files ./before
}

@test "a file that can't be written: the one that is there stays" {
	fails 1 'nonexistent' "$TAMIS" export twin-one --state "$state" -f oci -o /nonexistent/x
	mkdir dir
	fails 1 'dir' "$TAMIS" export twin-one --state "$state" -f oci -o dir
	[[ -z $(ls -A dir) ]]
	fails 1 'nonexistent' "$TAMIS" record -f oci -o /nonexistent/x -- true
	only_files
}

@test "standard output that is full" {
	local rc=0
	"$TAMIS" export twin-one --state "$state" -f oci >/dev/full 2>err || rc=$?
	((rc == 1))
	grep -q '^tamis: .*[Nn]o space' err
}

# --- policy files -----------------------------------------------------------------------------

# bad_policy REGEX: the file "policy", in both commands that read one.
bad_policy() {
	fails 1 "policy.*($1)" "$TAMIS" run --policy policy -- touch ran
	fails 2 "policy.*($1)" "$TAMIS" diff policy "$DIR/good.json"
	fails 2 "policy.*($1)" "$TAMIS" diff "$DIR/good.json" ./policy
	only_files ./policy
}

@test "a policy file that is not there" {
	fails 1 'missing.json' "$TAMIS" run --policy missing.json -- touch ran
	only_files
}

@test "a policy file that is truncated JSON" {
	local size part
	size=$(stat -c %s "$DIR/good.json")
	for part in 1 2 $((size / 3)) $((size / 2)) $((size - 3)); do
		head -c "$part" "$DIR/good.json" >policy
		bad_policy 'JSON|line|end of file'
	done
}

@test "a policy file with wrong types" {
	local edit
	for edit in '.defaultAction = 7' '.syscalls = "all"' '.syscalls[0] = 3' \
		'.syscalls[0].names = "read"' '.syscalls[0].names[0] = {}' '.syscalls[0].action = []' \
		'.architectures = "SCMP_ARCH_X86_64"' '.architectures[0] = 1' \
		'.defaultErrnoRet = "ENOSYS"' '.syscalls[0].errnoRet = "EPERM"' \
		'.syscalls[0].args = 5' '.syscalls[0].args = [{ index: "zero" }]' \
		'[.]' '"text"' 'del(.defaultAction)'; do
		jq "$edit" "$DIR/good.json" >policy
		echo "$edit"
		bad_policy '.'
	done
}

@test "a policy file with unknown words" {
	jq '.defaultAction = "SCMP_ACT_SHRUG"' "$DIR/good.json" >policy
	bad_policy 'SCMP_ACT_SHRUG'
	jq '.syscalls[0].action = "SCMP_ACT_SHRUG"' "$DIR/good.json" >policy
	bad_policy 'SCMP_ACT_SHRUG'
	jq '.architectures = ["SCMP_ARCH_PDP11"]' "$DIR/good.json" >policy
	bad_policy 'SCMP_ARCH_PDP11'
	jq '.syscalls[0].args = [{ index: 0, value: 0, op: "SCMP_CMP_ALIKE" }]' "$DIR/good.json" >policy
	bad_policy 'SCMP_CMP_ALIKE'
	jq '.syscalls[0].args = [{ index: 6, value: 0, op: "SCMP_CMP_EQ" }]' "$DIR/good.json" >policy
	bad_policy '6|index'
}

@test "a policy file of 10 MB of nesting, and smaller ones" {
	head -c 10000000 /dev/zero | tr '\0' '[' >policy
	bad_policy 'larger|large|deep|MiB'
	{ echo -n '{"a":'; head -c 3000000 /dev/zero | tr '\0' '['; } >policy
	bad_policy 'deep|nest|level|JSON'
	{ echo -n '{"a":'; head -c 100 /dev/zero | tr '\0' '['; head -c 100 /dev/zero | tr '\0' ']'
		echo '}'; } >policy
	bad_policy 'deep|nest|level|JSON'
}

@test "a policy file that is something else" {
	: >policy
	bad_policy '.'
	head -c 4001 /dev/urandom >policy
	bad_policy '.'
	fails 1 'dir' "$TAMIS" run --policy "$(mktemp -d dir.XXX)" -- touch ran
	fails 1 '/dev/zero' "$TAMIS" run --policy /dev/zero -- touch ran
}

@test "a policy that doesn't even allow the program's start" {
	jq '.syscalls = [{ names: ["read"], action: "SCMP_ACT_ALLOW" }]' "$DIR/good.json" >policy
	fails 1 'policy.*execve' "$TAMIS" run --policy policy -- touch ran
	echo '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["getpgrp"],"action":"SCMP_ACT_NOTIFY"}]}' >policy
	fails 1 'policy.*SCMP_ACT_NOTIFY.*nobody' "$TAMIS" run --policy policy -- touch ran
	only_files ./policy
}

# --- the host ---------------------------------------------------------------------------------

# In front of a command: as uid 1000, from a copy of tamis that this user can reach.
as_user=(setpriv --reuid 1000 --regid 1000 --clear-groups)

@test "not root" {
	place=$(mktemp -d /tmp/tamis-user.XXXXXX)
	install -m 755 "$TAMIS" "$place/tamis"
	install -d -o 1000 "$place/own"
	chmod 755 "$place"
	fails 1 'root|permi' "${as_user[@]}" "$place/tamis" daemon --state "$place/own/state"
	fails 1 'root|permi' "${as_user[@]}" "$place/tamis" record -o "$place/own/policy" -- /bin/true
	[[ -z $(find "$place/own" -mindepth 1) ]]
	fails 1 'state' "${as_user[@]}" "$place/tamis" list --state "$state"
	cp -r "$state" "$place/shared" && chmod -R a+rX "$place/shared"
	"${as_user[@]}" "$place/tamis" list --state "$place/shared" | grep -q twin-one
	fails 1 'shared' "${as_user[@]}" "$place/tamis" forget twin-one --state "$place/shared"
	fails 1 'shared' "${as_user[@]}" "$place/tamis" prune --gone-for 0s --state "$place/shared"
	"${as_user[@]}" "$place/tamis" list --state "$place/shared" | grep -q twin-one
	rm -rf "$place"
}

# In front of a script and its arguments: in a mount namespace of its own, to change mounts.
private=(unshare -m --propagation private sh -ec)

# shellcheck disable=SC2016
@test "no BTF" {
	local hide='for d in /sys/kernel/btf /boot /lib/modules /usr/lib/modules; do
		[ ! -d $d ] || mount -t tmpfs none $d; done; exec "$@"'
	fails 1 'BTF' "${private[@]}" "$hide" sh "$TAMIS" daemon --no-pin --state "$PWD/new"
	fails 1 'BTF' "${private[@]}" "$hide" sh "$TAMIS" record -o policy -- touch ran
	[[ ! -e ran && ! -e policy ]]
}

# shellcheck disable=SC2016
@test "no cgroup v2" {
	local hide='while m=$(findmnt -n -t cgroup2 -o TARGET | tail -n 1); [ -n "$m" ]; do
		umount -l "$m"; done; exec "$@"'
	fails 1 'cgroup v2' "${private[@]}" "$hide" sh "$TAMIS" daemon --no-pin --state "$PWD/new"
	fails 1 'cgroup v2' "${private[@]}" "$hide" sh "$TAMIS" record -o policy -- touch ran
	[[ ! -e ran && ! -e policy ]]
}

# shellcheck disable=SC2016
@test "pins where none can be" {
	: >file
	fails 1 'file' "${private[@]}" 'exec "$@"' sh "$TAMIS" daemon --bpffs "$PWD/file" \
		--state "$PWD/new"
	fails 1 '/proc/pins' "${private[@]}" 'exec "$@"' sh "$TAMIS" daemon --bpffs /proc/pins \
		--state "$PWD/new"
	# a directory with something in it is not mounted over
	mkdir used && : >used/file
	fails 1 'used' "${private[@]}" 'exec "$@"' sh "$TAMIS" daemon --bpffs "$PWD/used" \
		--state "$PWD/new"
	# a bpffs on which somebody else's object has our name
	version=$(sed -n 's/^#define TAMIS_ABI_VERSION //p' "$ROOT/bpf/abi.h")
	fails 1 'bpf/tamis/v.*/sets' "${private[@]}" 'd=$1; shift
		mkdir bpf && mount -t bpf none bpf && mkdir -m 700 -p bpf/tamis/$d
		bpftool map create bpf/tamis/$d/sets type hash key 4 value 4 entries 1 name sets
		exec "$@"' sh "v$version" "$TAMIS" daemon --bpffs "$PWD/bpf/tamis" --state "$PWD/new"
}

# --- the state directory ------------------------------------------------------------------------

readers_fail() {
	fails 1 "$1" "$TAMIS" list --state "$2"
	fails 1 "$1" "$TAMIS" show twin-one --state "$2"
	fails 1 "$1" "$TAMIS" export twin-one -f oci -o new --state "$2"
}

editors_fail() {
	fails 1 "$1" "$TAMIS" forget twin-one --state "$2"
	fails 1 "$1" "$TAMIS" forget twin-one read --state "$2"
	fails 1 "$1" "$TAMIS" merge twin-one twin-two --state "$2"
	fails 1 "$1" "$TAMIS" prune --gone-for 0s --state "$2"
}

@test "no state directory" {
	readers_fail '/nonexistent' /nonexistent
	editors_fail '/nonexistent' /nonexistent
	[[ ! -e /nonexistent ]]
	only_files
	fails 1 '/dev/null' "$TAMIS" daemon --no-pin --state /dev/null/state
}

# shellcheck disable=SC2016
@test "a read-only state directory" {
	local ro='mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"; shift; exec "$@"'
	mkdir empty
	cp -a "$state" copy
	fails 1 'empty.*[Rr]ead-only' "${private[@]}" "$ro" sh "$PWD/empty" "$TAMIS" daemon --no-pin \
		--state "$PWD/empty"
	fails 1 'copy.*[Rr]ead-only' "${private[@]}" "$ro" sh "$PWD/copy" "$TAMIS" daemon --no-pin \
		--state "$PWD/copy"
	fails 1 'copy.*[Rr]ead-only' "${private[@]}" "$ro" sh "$PWD/copy" "$TAMIS" export twin-one \
		-f oci -o "$PWD/copy/new" --state "$PWD/copy"
	for command in 'forget twin-one' 'merge twin-one twin-two' 'prune --gone-for 0s'; do
		# shellcheck disable=SC2086
		fails 1 'copy.*[Rr]ead-only' "${private[@]}" "$ro" sh "$PWD/copy" "$TAMIS" $command \
			--state "$PWD/copy"
	done
	diff -r "$state" copy
	# what is learned can still be read
	"${private[@]}" "$ro" sh "$PWD/copy" "$TAMIS" list --state "$PWD/copy" | grep -q twin-one
	"${private[@]}" "$ro" sh "$PWD/copy" "$TAMIS" export twin-one -f oci --state "$PWD/copy" |
		cmp - "$DIR/good.json"
}

# shellcheck disable=SC2016
@test "a full directory to write into" {
	local full='mount -t tmpfs -o size=64k none "$1"
		dd if=/dev/zero of="$1/ballast" bs=4k 2>/dev/null || true
		shift; exec "$@"'
	mkdir full
	fails 1 '[Nn]o space' "${private[@]}" "$full" sh "$PWD/full" "$TAMIS" export twin-one \
		--state "$state" -f oci -o "$PWD/full/new"
}

# It has what it is: a directory that fills while the daemon runs loses nothing.
# shellcheck disable=SC2016
@test "a state directory that is full for a while" {
	local pid
	mkdir small
	unshare -m --propagation private sh -c 'mount -t tmpfs -o size=2m none "$1" &&
		: >"$1.mounted" && exec sleep 1000' sh "$PWD/small" 3>&- &
	pid=$!
	wait_for 5 test -e small.mounted
	daemon_dir=$PWD
	nsenter -t "$pid" -m "$TAMIS" daemon --no-pin --state "$PWD/small/state" --interval 0.1 \
		--watch "/$sensor_prefix-*" >log 2>&1 </dev/null 3>&- &
	daemon_pid=$!
	wait_for 10 grep -q ready log
	nsenter -t "$pid" -m dd if=/dev/zero of="$PWD/small/ballast" bs=4k 2>/dev/null || true
	cgroup_make full
	for nr in $(seq 337 20 400) $(seq 481 20 540); do
		in_cgroup full "$O/tools/calls" "$nr-$((nr + 10))"
	done
	sleep 1
	gone "$daemon_pid" && { cat log; false; }
	grep -qi 'space\|full' log
	nsenter -t "$pid" -m rm "$PWD/small/ballast"
	sleep 0.5
	cgroup_remove full
	daemon_stop
	nsenter -t "$pid" -m "$TAMIS" export "$(workload_key full)" --state "$PWD/small/state" \
		-f names >names
	[[ $(nsenter -t "$pid" -m sqlite3 "$PWD/small/state/tamis.db" 'PRAGMA integrity_check') == ok ]]
	end_process "$pid"
	for nr in $(seq 337 20 400) $(seq 481 20 540); do
		grep -qx "x86_64 #$((nr + 10))" names
	done
}

newer_store() {
	cp -r "$state" newer
	sqlite3 newer/tamis.db 'PRAGMA user_version = 999; PRAGMA wal_checkpoint(truncate)' >/dev/null
	rm -f newer/tamis.db-wal newer/tamis.db-shm
}

@test "a store from a newer version" {
	newer_store
	sha256sum newer/tamis.db >before
	readers_fail 'newer.*version' newer
	editors_fail 'newer.*version' newer
	fails 1 'newer.*version' "$TAMIS" daemon --no-pin --state newer
	sha256sum -c before
	only_files ./before ./newer/tamis.db
}

@test "a store that is no database, or a damaged one" {
	mkdir bad
	head -c 20000 /dev/urandom >bad/tamis.db
	sha256sum bad/tamis.db >before
	readers_fail 'bad' bad
	editors_fail 'bad' bad
	fails 1 'bad' "$TAMIS" daemon --no-pin --state bad
	sha256sum -c before
	rm -r bad && mkdir -p bad/tamis.db
	readers_fail 'bad' bad
	editors_fail 'bad' bad
	fails 1 'bad' "$TAMIS" daemon --no-pin --state bad
}

# --- commands to start --------------------------------------------------------------------------

@test "a command that does not exist, or is none" {
	fails 1 'nosuchcmd' "$TAMIS" record -o policy -- nosuchcmd
	fails 1 '/nonexistent/x' "$TAMIS" record -o policy -- /nonexistent/x
	fails 1 '/etc/passwd' "$TAMIS" record -o policy -- /etc/passwd
	fails 1 'nosuchcmd' "$TAMIS" run --policy "$DIR/good.json" -- nosuchcmd
	fails 1 '/etc/passwd' "$TAMIS" run --policy "$DIR/good.json" -- /etc/passwd
	only_files
}
