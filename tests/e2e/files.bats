#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Policy files by hand: what diff says about them, and what run lets a command do.

load ../lib/base.bash

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	cat >a.json <<-'JSON'
		{ "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
		  "syscalls": [ { "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO",
		                  "errnoRet": 28 } ] }
	JSON
	cat >strict.json <<-'JSON'
		{ "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
		  "architectures": ["SCMP_ARCH_X86_64"],
		  "syscalls": [ { "names": ["read", "write", "clone"], "action": "SCMP_ACT_ALLOW" },
		                { "names": ["mount"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1 } ] }
	JSON
}

# differs A B EXPECTED: those lines, status 1.
differs() {
	local rc=0
	"$TAMIS" diff "$1" "$2" >out || rc=$?
	printf '%s\n' "${@:3}" | diff - out
	((rc == 1))
}

@test "diff: the same file, and the same said otherwise" {
	jq -c '.syscalls |= reverse | .syscalls[1].names |= reverse |
		.syscalls += [{ names: ["ptrace"], action: "SCMP_ACT_ERRNO", errnoRet: 38 }]' \
		strict.json >same.json
	[[ -z $("$TAMIS" diff strict.json strict.json) ]]
	[[ -z $("$TAMIS" diff strict.json same.json) ]]
}

@test "diff: calls added, removed and changed" {
	jq '.syscalls[0].names = ["read", "openat", "clone"] | .syscalls[1].errnoRet = 13' \
		strict.json >b.json
	differs strict.json b.json '- x86_64 write' '~ x86_64 mount (rule changed)' '+ x86_64 openat'
	differs b.json strict.json '+ x86_64 write' '~ x86_64 mount (rule changed)' '- x86_64 openat'
}

@test "diff: a condition is a change" {
	jq '.syscalls[0].names = ["read", "write"] | .syscalls += [{ names: ["clone"],
		action: "SCMP_ACT_ALLOW", args: [{ index: 0, value: 2114060288, valueTwo: 0,
		op: "SCMP_CMP_MASKED_EQ" }] }]' strict.json >b.json
	differs strict.json b.json '~ x86_64 clone (rule changed)'
}

@test "diff: another ABI, another default" {
	jq '.architectures += ["SCMP_ARCH_X86"] | .syscalls[0].names = ["read", "write"] |
		.defaultErrnoRet = 1' strict.json >b.json
	differs strict.json b.json '~ all default (rule changed)' '- x86_64 clone' \
		'~ x86_64 mount (rule changed)' '+ i386 *' '+ i386 read' '+ i386 write'
}

@test "diff --json" {
	local rc=0
	jq '.syscalls[0].names = ["read", "clone"]' strict.json >b.json
	"$TAMIS" diff strict.json b.json --json >out || rc=$?
	((rc == 1))
	jq -e '.a == "strict.json" and .b == "b.json" and (.same | not) and
		.differences == [{ change: "removed", abi: "x86_64", call: "write" }]' out
	"$TAMIS" diff --json b.json b.json | jq -e '.same and .differences == []'
}

@test "run: what is refused, and the errno" {
	"$TAMIS" run --policy a.json -- touch file
	[[ -e file ]]
	run "$TAMIS" run --policy a.json -- mkdir dir
	((status == 1))
	[[ $output == *"No space left on device"* && ! -e dir ]]
}

@test "run: children are bound, too" {
	run "$TAMIS" run --policy a.json -- sh -c '(mkdir dir) 2>&1 | cat; exit 5'
	((status == 5))
	[[ $output == *"No space left on device"* && ! -e dir ]]
}

@test "run: status, arguments, environment, input and output are the command's" {
	run env NAME='a b' "$TAMIS" run --policy a.json -- sh -c 'echo "$NAME/$1"; exit 42' sh '--x y'
	((status == 42))
	[[ $output == 'a b/--x y' ]]
	[[ $(echo text | "$TAMIS" run --policy a.json -- cat) == text ]]
	run "$TAMIS" run --policy a.json -- sh -c 'kill -TERM $$'
	((status == 143))
}

@test "run: the program is searched in PATH" {
	mkdir -p first second
	printf '#!/bin/sh\necho first\n' >first/program
	printf '#!/bin/sh\necho second\n' >second/program
	chmod +x second/program
	[[ $(PATH=$PWD/first:$PWD/second:$PATH "$TAMIS" run --policy a.json -- program) == second ]]
	[[ $("$TAMIS" run --policy a.json -- ./second/program) == second ]]
}

@test "run: no privilege is needed" {
	place=$(mktemp -d "${TMPDIR:-/tmp}/tamis-files.XXXXXX")
	install -m 755 "$TAMIS" "$place/tamis"
	install -m 644 a.json "$place/"
	chmod 755 "$place"
	run setpriv --reuid 1000 --regid 1000 --clear-groups "$place/tamis" run --policy \
		"$place/a.json" -- sh -c 'grep -E "^(NoNewPrivs|Seccomp):" /proc/self/status'
	rm -r "$place"
	((status == 0))
	[[ $output == *NoNewPrivs:*1*Seccomp:*2* ]]
}

@test "run: a program as export and record write it" {
	"$TAMIS" record -f bpf -o policy.bpf -- sh -c 'ls /; exit 0' >/dev/null
	(($(stat -c %s policy.bpf) % 8 == 0))
	"$TAMIS" run --policy policy.bpf -- sh -c 'ls /; exit 0' >/dev/null
	run "$TAMIS" run --policy policy.bpf -- mkdir dir
	((status == 1))
	[[ $output == *"Function not implemented"* && ! -e dir ]]
}

@test "run: names that no table has are said and left out" {
	jq '.syscalls[0].names += ["frobnicate"]' a.json >odd.json
	run "$TAMIS" run --policy odd.json -- echo done
	((status == 0))
	[[ ${lines[0]} == 'tamis: odd.json: 1 name that no table has is ignored' && ${lines[1]} == done ]]
}
