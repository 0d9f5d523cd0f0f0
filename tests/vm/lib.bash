# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Where things are kept between runs, and an apt that knows other suites than this host's and
# touches nothing of it.

PATH=$PATH:/usr/sbin:/sbin
cache=${TAMIS_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/tamis}/vm
# Of the guests: amd64, or arm64 for tests/arm64/run; their emulator and its console, what makes
# their roots, and the kernel headers they get.
# shellcheck disable=SC2034 # tests/vm/run's
case ${arch=${VM_ARCH-amd64}} in
amd64)
	# cx16: QEMU 7.2 without KVM spoils the flags around cmpxchg16b, which 6.12 uses a lot.
	machine=(qemu-system-x86_64 -M q35 -cpu "max,-cx16") console=ttyS0 image_maker=tests/vm/image
	headers=(asm/unistd_64.h asm/unistd_32.h)
	;;
arm64)
	machine=(qemu-system-aarch64 -M "virt,gic-version=3" -cpu cortex-a72) console=ttyAMA0
	image_maker=tests/arm64/image headers=(asm/unistd.h arm-linux-gnueabihf/asm/unistd-eabi.h)
	cache+=/arm64
	;;
esac
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# host_mirror LABEL: where this host has packages of Debian, or of Debian-Security from.
host_mirror() {
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
		awk -v label="$1" '$1 == label { sub("/$", "", $2); print $2; exit }'
}

mirror=${TAMIS_MIRROR:-$(host_mirror Debian)}
mirror=${mirror:-http://deb.debian.org/debian}
security=${TAMIS_SECURITY_MIRROR:-$(host_mirror Debian-Security)}
security=${security:-http://deb.debian.org/debian-security}

# The line of a sources.list for a suite.
source_of() {
	local from=$mirror
	[[ $1 != *-security ]] || from=$security
	echo "deb [signed-by=$keyring] $from $1 main"
}

# suite_open SUITE: chooses it for suite_apt, and reads its lists. Fails when the mirror doesn't
# have it (any more), or can't be reached.
suite_open() {
	suite_dir=$cache/apt/$1
	mkdir -p "$suite_dir"/{lists,cache/archives}/partial
	source_of "$1" >"$suite_dir/sources.list"
	: >"$suite_dir/status"
	suite_apt apt-get -q -oAPT::Update::Error-Mode=any update >"$suite_dir/log" 2>&1
}

# suite_apt apt-get|apt-cache ARG... A mirror that stands still is as good: its lists are signed.
suite_apt() {
	"$1" -oDir::Etc::sourcelist="$suite_dir/sources.list" -oDir::Etc::sourceparts=/dev/null \
		-oDir::State::lists="$suite_dir/lists" -oDir::Cache="$suite_dir/cache" \
		-oDir::State::status="$suite_dir/status" -oAPT::Architecture="$arch" \
		-oAPT::Architectures="$arch" -oAPT::Sandbox::User=root \
		-oAcquire::Check-Valid-Until=false -oAcquire::Retries=3 "${@:2}"
}
