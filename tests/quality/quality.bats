#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What takes too long for every run: valgrind, fuzzing, and what of make lint is quick.

load ../lib/base.bash
load build.bash

@test "unit tests under valgrind: nothing unwritten is read, nothing lost" {
	build unit-valgrind
}

@test "fuzzing from the corpus, a few seconds each, finds nothing" {
	build fuzz TIME=5
}

# clang-tidy and its analyzer are make lint's alone.
@test "format, layers, licences, lengths, links, scripts" {
	tests/lint/run quick 3>&-
}
