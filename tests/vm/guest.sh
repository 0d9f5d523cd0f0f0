#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Process 1 of a virtual machine: makes it what the test programs expect, runs those that the
# kernel's command line names (vm.tests=FILE,FILE:FILTER...), leaves results on the last disk, ends the machine.
# vm.cgroup=pure|hybrid|v1: how cgroups are mounted. vm.init=systemd: makes way for systemd, one of
# whose services it is then.
export PATH=/payload/tests/vm/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
export HOME=/root LANG=C.UTF-8 O=/payload/build
# An emulated machine, on a host that does other things: whatever is waited for gets longer.
export WAIT_FACTOR=6
results=/run/results

option() {
	tr ' ' '\n' </proc/cmdline | sed -n "s/^$1=//p"
}

# An overlay can't lie on an overlay.
mount_storage() {
	local dir
	for dir in /var/lib/{containers,containerd,docker} /home; do
		mkdir -p "$dir"
		mount -t tmpfs tmpfs "$dir"
	done
}

start_systemd() {
	mount_storage
	cp /payload/tests/vm/units/* /etc/systemd/system/
	rm -f /etc/systemd/system/timers.target.wants/*
	tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
	exec /lib/systemd/systemd
}

mount_all() {
	mount -t tmpfs -o mode=755 tmpfs /run
	mount -t tmpfs -o mode=1777 tmpfs /tmp
	mount_storage
	mkdir -p /dev/pts /dev/shm /run/lock
	mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
	mount -t tmpfs shm /dev/shm
	mount -t securityfs securityfs /sys/kernel/security
	mount -t bpf bpf /sys/fs/bpf
	mount -t mqueue mqueue /dev/mqueue 2>/dev/null || true
	ln -sf /proc/self/fd /dev/fd
	ip link set lo up
	hostname tamis-vm
}

# Every process below the root, so that its controllers can be handed down.
cgroup_pure() {
	local controller
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	mkdir /sys/fs/cgroup/init
	echo $$ >/sys/fs/cgroup/init/cgroup.procs
	for controller in $(</sys/fs/cgroup/cgroup.controllers); do
		echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control
	done
}

cgroup_v1() {
	local controller
	mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup
	while read -r controller; do
		mkdir /sys/fs/cgroup/"$controller"
		# some have no v1 half in newer kernels
		mount -t cgroup -o "$controller" "$controller" /sys/fs/cgroup/"$controller" 2>/dev/null ||
			rmdir /sys/fs/cgroup/"$controller"
	done < <(awk '!/^#/ && $4 == 1 { print $1 }' /proc/cgroups)
	mkdir /sys/fs/cgroup/systemd
	mount -t cgroup -o none,name=systemd systemd /sys/fs/cgroup/systemd
}

cgroup_hybrid() {
	cgroup_v1
	mkdir /sys/fs/cgroup/unified
	mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified
}

# run_tests FILE[:FILTER]: a filter is a regular expression, with _ for spaces.
run_tests() {
	local file=${1%%:*} filter='' name rc=0 started=$SECONDS
	[[ $1 != *:* ]] || filter=${1#*:}
	name=$(basename "$file" .bats)
	echo "VM-FILE $file"
	timeout -k 10 4800 bats --tap ${filter:+-f "${filter//_/ }"} "/payload/tests/$file" \
		>$results/"$name".tap 2>&1 </dev/null || rc=$?
	echo "VM-RC $file $rc $((SECONDS - started))"
}

finish() {
	trap - EXIT
	set +e
	dmesg >$results/dmesg
	tar -C $results -cf /dev/vdd .
	sync
	echo "VM-EXIT $1"
	busybox poweroff -f
	sleep 100
}

[[ $$ != 1 || $(option vm.init) != systemd ]] || start_systemd
trap 'finish 1' EXIT
set -eu
if [[ $$ == 1 ]]; then
	mount_all
	"cgroup_$(option vm.cgroup)"
fi
mkdir -p /root $results
cd /root
IFS=, read -ra tests < <(option vm.tests)
for i in "${tests[@]}"; do
	run_tests "$i"
done
finish 0
