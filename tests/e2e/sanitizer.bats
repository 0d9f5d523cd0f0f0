#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# policies/sanitizer/ against the sanitizers of this machine's compilers: what a program calls when it
# is built with one and not without is in the data. A newer sanitizer that calls more fails here.

load ../lib/base.bash

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	# What reports look like is not to depend on who runs this.
	unset ASAN_OPTIONS LSAN_OPTIONS MSAN_OPTIONS TSAN_OPTIONS UBSAN_OPTIONS
}

# --- programs --------------------------------------------------------------------------------

program() {
	case $1 in
	empty) echo 'int main(void) { return 0; }' ;;
	leaking) echo '#include <stdlib.h>
		int main(void) { void *volatile p = malloc(1000); p = NULL; return p != NULL; }' ;;
	overflow) echo '#include <stdlib.h>
		int main(int argc, char **argv) { char *volatile p = malloc(10); p[10 + argc] = 1; return p[3]; }' ;;
	undefined) echo '#include <limits.h>
		int main(int argc, char **argv) { volatile int x = INT_MAX; x += argc; return 0; }' ;;
	uninitialised) echo '#include <stdlib.h>
		int main(void) { int *volatile p = malloc(40); return p[3] ? 3 : 0; }' ;;
	race) echo '#include <pthread.h>
		static volatile int n; /* so that there are as many chances as rounds: two at once go unseen */
		static void *add(void *p) { for (int i = 0; i < 100000; i++) n++; return p; }
		int main(void) { pthread_t a, b; pthread_create(&a, 0, add, 0); pthread_create(&b, 0, add, 0);
			pthread_join(a, 0); pthread_join(b, 0); return 0; }' ;;
	busy) echo '#include <pthread.h>
		#include <stdlib.h>
		#include <string.h>
		static void *work(void *p) { for (int i = 0; i < 300; i++) {
			char *m = malloc(1 + i * 7919 % 2000000); memset(m, 1, 16); free(m); } return p; }
		int main(void) { pthread_t t[4];
			for (int i = 0; i < 4; i++) pthread_create(&t[i], 0, work, 0);
			for (int i = 0; i < 4; i++) pthread_join(t[i], 0);
			work(0); return 0; }' ;;
	esac
}

# --- measuring -------------------------------------------------------------------------------

# made PROGRAM: the calls it makes, with those that are guarded; its output in PROGRAM.out.
made() {
	"$TAMIS" record -f names -o "$1.names" -- "./$1" >"$1.out" 2>&1 || true
	[[ -s $1.names ]] || { cat "$1.out"; return 1; }
	{
		awk '{ print $2 }' "$1.names"
		sed -n 's/.*nobody allowed: \(.*\) (tamis record.*/\1/p' "$1.out" | sed 's/, /\n/g; s/[a-z0-9_]*://g'
	} | sort -u >"$1.made"
}

# build CC PROGRAM OUTPUT [FLAG...]
build() {
	program "$2" | "$1" -x c -O1 -g -w -pthread "${@:4}" - -o "$3"
}

# own CC SANITIZER PROGRAM [FLAG...]: what it calls with the sanitizer alone.
own() {
	build "$1" "$3" "plain-$3" "${@:4}" && build "$1" "$3" "$2-$3" -fsanitize="$2" "${@:4}" || return
	made "plain-$3" && made "$2-$3" || return
	comm -13 "plain-$3.made" "$2-$3.made"
}

# A FILE of policies/sanitizer, as names.
data() {
	sed 's/#.*//' "$ROOT/policies/sanitizer/$1" | tr -s ' \t' '\n' | grep . | sort -u
}

# known CC SANITIZER FILE PROGRAM [FLAG...]: all of it is in the data.
known() {
	local more
	own "$1" "$2" "$4" "${@:5}" >only || return
	more=$(comm -23 only <(data "$3") | paste -sd' ')
	[[ -z $more ]] || { echo "$1 -fsanitize=$2 ${*:5}, $4: policies/sanitizer/$3 lacks $more"; return 1; }
}

reported() {
	grep -qE "$2" "$1.out" || { echo "$1 reported nothing:"; cat "$1.out"; return 1; }
}

# --- an empty program --------------------------------------------------------------------------

@test "gcc's sanitizers call by themselves what is known" {
	local known=0 pair
	for pair in address:asan leak:lsan undefined:ubsan thread:tsan; do
		known gcc "${pair%:*}" "${pair#*:}" empty
		((known += $(wc -l <only)))
		known gcc "${pair%:*}" "${pair#*:}" busy
	done
	# The measure measures: there is a difference.
	((known > 30))
}

@test "clang's sanitizers call by themselves what is known" {
	local known=0 pair
	for pair in address:asan leak:lsan undefined:ubsan thread:tsan memory:msan; do
		known clang "${pair%:*}" "${pair#*:}" empty
		((known += $(wc -l <only)))
		known clang "${pair%:*}" "${pair#*:}" busy
	done
	((known > 35))
}

@test "at the end LeakSanitizer stops all threads: what that takes is known, and seen" {
	local cc
	for cc in gcc clang; do
		known $cc address asan empty
		[[ $(grep -cxE 'clone|ptrace|wait4|getdents' only) == 4 ]]
		known $cc leak lsan empty
		[[ $(grep -cxE 'clone|ptrace|wait4|getdents' only) == 4 ]]
	done
}

@test "32 bits, by their own names" {
	[[ $(uname -m) == x86_64 ]]
	known gcc address asan empty -m32
	grep -qx ptrace only
	known gcc address asan overflow -m32
	known gcc undefined ubsan undefined -m32
}

# --- reports -------------------------------------------------------------------------------------

@test "what it takes to report is known" {
	local cc
	for cc in gcc clang; do
		known $cc address asan overflow
		reported address-overflow 'AddressSanitizer: heap-buffer-overflow'
		known $cc leak lsan leaking
		reported leak-leaking 'LeakSanitizer: detected memory leaks'
		known $cc undefined ubsan undefined
		reported undefined-undefined 'runtime error: signed integer overflow'
		known $cc thread tsan race
		reported thread-race 'ThreadSanitizer: data race'
	done
	known clang memory msan uninitialised
	reported memory-uninitialised 'MemorySanitizer: use-of-uninitialized-value'
}

@test "so is a report that ends in an abort, and one into a file" {
	local cc options
	for options in abort_on_error=1:halt_on_error=1 "log_path=$PWD/logs/report"; do
		export {A,L,M,T,UB}SAN_OPTIONS="$options"
		for cc in gcc clang; do
			known $cc address asan overflow
			known $cc leak lsan leaking
			known $cc undefined ubsan undefined
			known $cc thread tsan race
		done
		known clang memory msan uninitialised
	done
	ls logs/report.* >/dev/null
}

# --- the measure can fail --------------------------------------------------------------------------

@test "a call that the data lacks is named" {
	mkdir -p root/policies/sanitizer
	sed 's/\<getdents\>//' "$ROOT/policies/sanitizer/asan" >root/policies/sanitizer/asan
	ROOT=$PWD/root run known gcc address asan empty
	[[ $status == 1 && $output == *'lacks getdents' ]]
}
