#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # jq's variables; what the libraries set
# Ways round probation, each learned or refused by the rule: names, numbers, ABIs, floods, the keeper's
# own socket. What was called is known from programs that say what each of their calls returned, and
# from the very filter that the container runs under.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash
load ../lib/start.bash
load ../lib/keeper.bash
load ../lib/probation.bash

setup_file() {
	export prob_prefix=tamis-prob-$$
	export prob_image=localhost/$prob_prefix
	cp "$O/tools/calls" "$BATS_FILE_TMPDIR/runc"
	start_image "$prob_image" "$O/tools/calls" "$O/tools/forger" "$BATS_FILE_TMPDIR/runc"
}

teardown_file() {
	podman rmi -f "$prob_image" >/dev/null 2>&1 || true
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	pod_cgroups_note
}

teardown() {
	daemon_stop || true
	pod_sweep "$prob_prefix"
	keeper_stop || true
	pod_cgroups_restore
}

# Calls that asked for arguments -1 do no harm; all that came since Linux 4.11, some of before, and
# numbers that nobody has.
many=(100 104 107 108 111 140-148 332-334 424-470 500 511 512 547 600 1000 0x)
unset 'many[-1]'

# Numbers that `calls -r` said passed: neither ENOSYS nor EPERM.
passed() {
	awk -v abi="$(uname -m)" '$1 == abi && $3 != -38 && $3 != -1 { print $2 }' "$1" | sort -u
}

made() {
	awk -v abi="$(uname -m)" '$1 == abi { print $2 }' "$1" | sort -u
}

# evade NAME: by many names and ways, with no daemon to see it; the lines of all in `out`.
evade() {
	local name=$1
	daemon_stop
	pod exec "$name" /calls -r "${many[@]}" >out
	pod exec "$name" /runc -r "${many[@]}" >>out
	pod exec "$name" /calls -r name:runc "${many[@]}" >>out
	pod exec "$name" sh -c 'echo runc >/proc/self/comm; exec /runc -r fork name:runc:[2:INIT] "$@"' sh "${many[@]}" >>out
	daemon_again
	numbers "$name.asking" >asking.numbers
	made out | comm -12 - asking.numbers >asked
	[[ $(wc -l <asked) -gt 20 ]] || { wc -l asked; return 1; }
	awk '$1 > 341' asked | grep -q .
}

@test "evasion, learn: a process named runc, new calls, before any daemon sees it: all learned" {
	local name=$prob_prefix-elearn
	begin
	probation "$name"
	evade "$name"
	wait_for 30 all_called "podman/$name" asked || { echo "not learned: $(comm -23 asked called.now | xargs)"; return 1; }
	slipped_none "$name"
	for nr in 500 511 600 1000; do
		returned out "$nr" -38
	done
}

# What passed had passed before, or is learned; what has no name, the engine refuses or is guarded didn't.
slipped_none() {
	called "podman/$1" >learned
	passing "$1" >names
	numbers names >let
	passed out | comm -23 - <(sort -u learned let) >slipped
	[[ ! -s slipped ]] || { echo "slipped: $(xargs <slipped)"; return 1; }
}

# all_called KEY FILE: the store has all of these numbers.
all_called() {
	called "$1" >called.now
	[[ -z $(comm -23 "$2" called.now) ]]
}

@test "evasion, ask: whatever its name and number, refused and pending" {
	local name=$prob_prefix-eask
	begin
	probation "$name" --rule ask
	evade "$name"
	wait_for 30 all_denied "podman/$name" asked || { echo "not asked: $(comm -23 asked denied.now | xargs)"; return 1; }
	slipped_none "$name"
}

# Above 450 the engine's own profile lets nothing through: without one, what runc has names of asks.
@test "evasion, deny: without an engine's profile, calls above 450 too" {
	local name=$prob_prefix-edeny
	begin
	pod_run "$name" --security-opt seccomp=unconfined "$prob_image" sh -c "$loop"
	probation "$name" --rule deny --unconfined
	evade "$name"
	awk '$1 <= 452' asked >known # the newest that every libseccomp here has
	mv known asked
	awk '$1 > 450' asked | grep -q .
	wait_for 30 all_denied "podman/$name" denied || { echo "not denied: $(comm -23 asked denied.now | xargs)"; return 1; }
	slipped_none "$name"
}

all_denied() {
	denied "$1" "$2" >denied.now
	[[ -z $(comm -23 asked denied.now) ]]
}

@test "evasion: the i386 ABI: killed where nobody used it, asked for where it was learned" {
	local name=$prob_prefix-i386 rc=0
	[[ $(uname -m) == x86_64 ]] || return 0
	begin
	probation "$name" --rule deny
	# its geteuid, which is bind in the other table
	pod exec "$name" /calls -r int80:49 >out || rc=$?
	((rc != 0))
	[[ ! -s out ]]
	has_none "podman/$name" geteuid i386
	pod_remove "$name"
	name=$prob_prefix-both
	pod_run "$name" "$prob_image" sh -c "$loop"
	restart "$name"
	start_learned "podman/$name"
	pod exec "$name" /calls int80:20
	wait_for 20 has_call "podman/$name" getpid i386
	probation "$name" --rule deny
	pod exec "$name" /calls -r int80:20 int80:49 int80:50 108 >out
	grep -qx 'i386 49 -38' out
	grep -qx 'i386 50 -38' out
	grep -E '^i386 20 [0-9]+$' out
	returned out 108 -38
	wait_for 30 denied_of_i386 "podman/$name"
}

denied_of_i386() {
	tamis denials "$1" --json | json_is '[.denials[] | select(.abi == "i386") | .name] | sort == ["getegid", "geteuid"]'
}

@test "evasion: a bomb of refused calls is counted, and stops nobody else's answers" {
	local bomb=$prob_prefix-bomb other=$prob_prefix-other asks=$((40 * 500))
	begin
	probation "$bomb" --rule deny
	probation "$other"
	# shellcheck disable=SC2046
	pod exec "$bomb" sh -c 'for i in 0 1 2 3; do for k in 0 1 2 3 4 5 6 7 8 9; do /calls "$@" & done; done; wait' \
		sh $(yes 107 | head -n 500) >/dev/null &
	local pid=$!
	for _ in {1..5}; do
		pod exec "$other" /calls -r 108 >out
		returned out 108 0
	done
	wait "$pid"
	wait_for 60 were_denied "podman/$bomb" 107 $asks
	[[ $(denied_times "podman/$bomb" 107) == "$asks" ]]
	keeper_lives
	[[ $(pod inspect -f '{{.State.Running}}' "$bomb") == true ]]
}

@test "evasion: the keeper's socket inside of a container; a state that is forged" {
	local name=$prob_prefix-forge plain=$prob_prefix-plain state
	begin
	probation "$name" --rule deny
	pod_remove "$name"
	pod_run "$name" -v "$keeper_dir:/keeper" "$prob_image" sh -c "$loop"
	start_until "^podman/$name: in probation under generation " restart "$name"
	pod_run "$plain" -v "$keeper_dir:/keeper" --security-opt seccomp=unconfined "$prob_image" sh -c "$loop"
	state=$(jq -nc --arg id "$(pod inspect -f '{{.Id}}' "$name")" --argjson pid "$(pod_pid "$name")" '{ociVersion: "1.0.2",
		fds: ["seccompFd"], pid: $pid, metadata: "", state: {ociVersion: "1.0.2", id: $id, status: "running", pid: $pid, bundle: "/"}}')
	# cut off: whoever listens to its own filter is gone, so its calls get ENOSYS
	timeout 60 podman exec "$plain" /forger "/keeper/${keeper_socket##*/}" "$state" 107 104 >out
	cat out
	grep -qx 'listen 0' out
	grep -qx '107 -38' out
	grep -qx '104 -38' out
	# in probation there is a listener already, and nothing of a filter to give
	timeout 60 podman exec "$name" /forger "/keeper/${keeper_socket##*/}" "$state" 107 >inner || true
	cat inner
	fails grep -qx '107 0' inner
	keeper_lives
	# somebody else of the host's, who says to be that container: it isn't, so it goes on
	timeout 60 "$O/tools/forger" "$keeper_socket" "$state" 107 104 >host
	grep -qx 'send 0' host
	grep -qx '104 0' host
	timeout 60 setpriv --reuid 65534 --clear-groups "$O/tools/forger" "$keeper_socket" "$state" 107 >nobody
	fails grep -qx '107 0' nobody
	keeper_lives
	pod exec "$name" /calls -r 108 >out
	returned out 108 -38
	has_none "podman/$name" getgid
	has_none "podman/$name" geteuid
	keeper_journal | grep -E '^call - .* 104 nobodys? ' || { keeper_journal | grep -v "$name"; return 1; }
}
