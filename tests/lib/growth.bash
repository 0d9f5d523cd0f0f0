# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What a daemon keeps: its memory, its entries in the kernel's maps, its time. Needs base.bash and
# daemon.bash; `unit` is the daemon's --unit.

# shellcheck disable=SC2154 # unit is the caller's
rss_kib() {
	awk '$1 == "VmRSS:" { print $2 }' "/proc/$daemon_pid/status"
}

cpu_ms() {
	local ticks
	ticks=$(awk '{ print $14 + $15 }' "/proc/$daemon_pid/stat")
	echo $((ticks * 1000 / $(getconf CLK_TCK)))
}

# map_entries: of all maps that are kept by cgroup.
map_entries() {
	# shellcheck disable=SC2016
	nsenter -t "$daemon_pid" -m bash -c '
		for map in "$1"/*/{sets,cgroups,losses,paths,leaves}; do
			bpftool map dump pinned "$map" -j || exit
		done' bash "$daemon_dir/bpf/tamis" | jq -s 'map(length) | add'
}

rss_at_most() {
	(($(rss_kib) <= $1))
}

entries_at_most() {
	(($(map_entries) <= $1))
}

# The daemon gives memory back at the end of a sampling unit: two of them.
rest() {
	sleep $((2 * unit + 1))
}

# no_larger RSS ENTRIES: nothing of what came since is kept. Others' containers may have come.
no_larger() {
	wait_for 30 rss_at_most $(($1 + 1024)) || { echo "RSS was $1 KiB, is $(rss_kib)"; return 1; }
	wait_for 30 entries_at_most $(($2 + 100)) || { echo "map entries were $2, are $(map_entries)"; return 1; }
}

# For people who watch the tests run.
say() {
	echo "# $*" >&3
}
