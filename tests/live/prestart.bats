#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# In the place of oci-seccomp-bpf-hook: its annotation, its JSON with one path changed, podman and
# runc for real. No daemon runs.

load ../lib/base.bash
load ../lib/pod.bash

# An image of one static program, which makes the calls that it is given.
setup_file() {
	export pre_prefix=tamis-pre-$$
	export pre_image=localhost/$pre_prefix
	local root=$BATS_FILE_TMPDIR/root
	mkdir -p "$root"/{proc,sys,dev,etc,tmp}
	cp "$O/tools/calls" "$root/calls"
	tar -C "$root" -cf "$BATS_FILE_TMPDIR/image.tar" .
	podman import -q "$BATS_FILE_TMPDIR/image.tar" "$pre_image" >/dev/null
}

teardown_file() {
	podman rmi -f "$pre_image" >/dev/null 2>&1 || true
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	mkdir hooks out state
	pod_cgroups_note
}

teardown() {
	pod_sweep "$pre_prefix"
	pod_cgroups_restore
}

# hook ARG...: what follows the program's name in the hook's JSON.
hook() {
	jq -n --arg path "$O/tamis-start" '{version: "1.0.0", hook: {path: $path,
		args: (["oci-seccomp-bpf-hook"] + $ARGS.positional)}, stages: ["prestart"],
		when: {annotations: {"^io\\.containers\\.trace-syscall$": ".*"}}}' --args -- "$@" \
		>hooks/oci-seccomp-bpf-hook.json
}

own_hook() {
	hook -s --state "$PWD/state" --output-dir "$PWD/out" "$@"
}

# traced ANNOTATION [podman's options] ARG...: the program with those arguments.
traced() {
	local annotation=$1
	shift
	pod --hooks-dir "$PWD/hooks" run --rm --name "$pre_prefix" "${pod_run_options[@]}" \
		--annotation "io.containers.trace-syscall=$annotation" "$pre_image" "$@"
}

# allowed FILE: the names that some rule of the profile allows, a line each.
allowed() {
	jq -r '.syscalls[] | select(.action == "SCMP_ACT_ALLOW") | .names[]' "$1" | sort -u
}

written() {
	[[ -s $1 ]]
}

says() {
	grep -q "$1" state/start.log
}

# getppid, getuid, geteuid; sched_yield by exec.
@test "a container's profile has its calls and none of the runtime's setup" {
	own_hook
	traced "of:$PWD/out/p.json" /calls 110 102 107
	wait_for 30 written out/p.json
	allowed out/p.json >names
	grep -qx getppid names && grep -qx getuid names && grep -qx geteuid names
	fails grep -qxE 'mount|pivot_root|umount2|unshare|setns|getegid|sethostname' names
	json_is '.defaultAction == "SCMP_ACT_ERRNO"' <out/p.json
	# what it allows is enough
	pod run --rm --name "$pre_prefix" "${pod_run_options[@]}" --security-opt "seccomp=$PWD/out/p.json" \
		"$pre_image" /calls 110 102 107
	says "profile written to $PWD/out/p.json"
}

@test "the calls are those that a recording has" {
	own_hook
	"$TAMIS" record -f names -- "$O/tools/calls" 110 102 fork 107 exec 24 | sed 's/.* //' | sort >recorded
	traced "of:$PWD/out/p.json" /calls 110 102 fork 107 exec 24
	wait_for 30 written out/p.json
	allowed out/p.json >names
	run comm -23 recorded names
	[[ -z $output ]]
}

@test "the hook's own JSON with one path changed, and a file in /tmp" {
	local file
	file=$(mktemp -u "/tmp/$pre_prefix-XXXXXX")
	hook -s
	traced "of:$file" /calls 110
	wait_for 30 written "$file"
	allowed "$file" | grep -qx getppid
	rm -f "$file"
}

@test "a base's refusals and docker's keys stay, its allowed calls too" {
	own_hook
	cat >out/base.json <<-'END'
		{"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1,
		 "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}],
		 "syscalls": [
		  {"names": ["getuid"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13, "comment": "no",
		   "includes": {}, "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
		  {"names": ["sync"], "action": "SCMP_ACT_ALLOW"}]}
	END
	traced "if:$PWD/out/base.json;of:$PWD/out/p.json" /calls 110 102
	wait_for 30 written out/p.json
	json_is '.syscalls[:2] == $base[0].syscalls and .archMap == $base[0].archMap and
		.defaultAction == "SCMP_ACT_ERRNO" and .defaultErrnoRet == 1' \
		--slurpfile base out/base.json <out/p.json
	allowed out/p.json >names
	grep -qx getppid names && grep -qx sync names
	fails grep -qx getuid names
	# in the other order
	traced "of:$PWD/out/q.json;if:$PWD/out/base.json" /calls 110 102
	wait_for 30 written out/q.json
	cmp out/p.json out/q.json
}

# refused ANNOTATION TEXT: the container runs, nothing is traced, one line says why.
refused() {
	: >state/start.log
	traced "$1" /calls 110
	says "$2" || { cat state/start.log; return 1; }
	[[ $(wc -l <state/start.log) == 1 ]]
}

@test "files outside of what is allowed, and behind symlinks, are refused" {
	own_hook
	mkdir elsewhere
	ln -s "$PWD/elsewhere" out/link
	ln -s "$PWD/elsewhere/target" out/p.json
	refused "of:$PWD/elsewhere/p.json" 'outside'
	refused "of:$PWD/out/../elsewhere/p.json" 'outside'
	refused "of:$PWD/out/link/p.json" 'symbolic link'
	refused "of:$PWD/out/p.json" 'symbolic link'
	refused "of:$PWD/out/none/p.json" 'No such file'
	refused "if:/etc/shadow;of:$PWD/out/q.json" 'outside'
	[[ -z $(ls elsewhere) && ! -e out/q.json ]]
}

@test "an annotation or base that makes no sense is said, and the container starts" {
	own_hook
	echo '{"defaultAction": "NONSENSE"}' >out/base.json
	refused "$PWD/out/p.json" 'neither of: nor if:'
	refused "if:$PWD/out/base.json" 'no output file'
	traced "if:$PWD/out/base.json;of:$PWD/out/p.json" /calls 110
	says 'NONSENSE\|defaultAction'
	[[ ! -e out/p.json ]]
}

@test "a guarded call waits for a person's word, which the hook's line can have" {
	own_hook
	# ptrace: 101
	traced "of:$PWD/out/p.json" /calls 110 101
	wait_for 30 written out/p.json
	[[ -z $(allowed out/p.json | grep -x ptrace) ]]
	says 'pending: .*ptrace'
	own_hook --allow ptrace
	traced "of:$PWD/out/q.json" /calls 110 101
	wait_for 30 written out/q.json
	allowed out/q.json | grep -qx ptrace
}

@test "a container that is stopped early leaves what it did" {
	own_hook
	pod --hooks-dir "$PWD/hooks" run -d --name "$pre_prefix" "${pod_run_options[@]}" \
		--annotation "io.containers.trace-syscall=of:$PWD/out/p.json" "$pre_image" /calls 110 34
	[[ ! -e out/p.json ]]
	pod rm -f -t 0 "$pre_prefix"
	wait_for 30 written out/p.json
	allowed out/p.json | grep -qx getppid
}
