# SPDX-License-Identifier: Apache-2.0
# Bash completion for tamis(1); goes to /usr/share/bash-completion/completions/tamis.

# Words of ours only: compgen -W expands what it is given, and a container's name could hold $(...).
_tamis_words() {
	local word
	for word; do
		[[ $word != "$cur"* ]] || COMPREPLY+=("$word")
	done
}

_tamis_files() {
	local file
	compopt -o filenames 2>/dev/null
	while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -f -- "$cur")
}

# Names as `tamis list` shows them, quoted so that the shell takes them as they are.
_tamis_workloads() {
	local -a where=()
	local i name
	for ((i = 2; i < cword; i++)); do
		[[ ${words[i - 1]} != --state ]] || where=(--state "${words[i]}")
	done
	while read -r _ name _; do
		[[ $name == WORKLOAD || $name != "$cur"* ]] || COMPREPLY+=("$(printf %q "$name")")
	done < <("${words[0]}" list "${where[@]}" 2>/dev/null)
}

_tamis_options() {
	case ${words[1]} in
	daemon) _tamis_words --state --interval --unit --bpffs --no-pin --unpin --watch --service \
		--config --map-entries --cache-slots --portable --legacy --watch-denials --duty --verbose ;;
	trace) _tamis_words -o --output --base --runtime --allow ;;
	record) _tamis_words -o -f --output --format --runtime --allow --stop -- ;;
	list) _tamis_words --engine --running --json --state ;;
	show) _tamis_words --by --json --state ;;
	diff) _tamis_words --json --state ;;
	allow | deny) _tamis_words --abi --forget --config --state ;;
	apply) _tamis_words --mode --rule --dry-run --force --no-trial --replace --unconfined --with-descendants \
		--widen --keep-new-image --config --state ;;
	history) _tamis_words --json --config --state ;;
	denials) _tamis_words --follow --json --state ;;
	oracle) _tamis_words --hardened --window --container --unit --bootstrap --replay --per-hour --stop \
		--json --config --state ;;
	rollback | release) _tamis_words --config --state ;;
	install) _tamis_words --hooks-dir --runtime --as --kubelet-dir --state ;;
	uninstall) _tamis_words --hooks-dir --remove ;;
	export) _tamis_words -f -o --format --output --all --runtime --without-sessions --stage \
		--engine-profile --base --widen --arch --json --state ;;
	run) _tamis_words --policy -- ;;
	forget) _tamis_words --state ;;
	merge) _tamis_words -o --output --config --state ;;
	prune) _tamis_words --gone-for --fold-after --dry-run --json --state ;;
	check) _tamis_words --json ;;
	score) _tamis_words --engine-profile --json --state ;;
	mine) _tamis_words --container --unit --tests --explore --time --test-time -o --output --report --json \
		--fail-if-wider --allow --minimize --minimize-time --ready-port --ready-log --ready-cmd \
		--ready-time --podman-option --podman --runtime --state -- ;;
	esac
	_tamis_words --help
}

# The value of the option before; fails when that takes none.
_tamis_value() {
	case $prev in
	-o | --output) [[ ${words[1]} == merge ]] || _tamis_files ;;
	--tests | --explore | --report | --fail-if-wider) _tamis_files ;;
	--time | --test-time | --minimize-time | --ready-time) _tamis_words 60s 5m 15m ;;
	-f | --format) _tamis_words oci docker spo systemd label annotation text names bpf pfc ;;
	--runtime) if [[ ${words[1]} == install ]]; then _tamis_files; else _tamis_words runc crun; fi ;;
	--by) _tamis_words unit ;;
	--mode) _tamis_words shadow probation enforce ;;
	--rule) _tamis_words learn ask deny ;;
	--arch) _tamis_words aarch64 x86_64 ;;
	--stage) _tamis_words setup gate workload session all ;;
	--abi) _tamis_words x86_64 i386 x32 aarch64 arm ;;
	--engine) _tamis_words podman docker containerd crio kubernetes systemd oci lxc nspawn cgroup ;;
	--gone-for | --fold-after) _tamis_words 30d 7d 12h never ;;
	--state | --bpffs | --config | --policy | --engine-profile | --base | --hooks-dir | --as | \
		--kubelet-dir) _tamis_files ;;
	--interval | --unit | --watch | --service | --map-entries | --cache-slots | --allow | \
		--hardened | --window | --container | --replay | --per-hour | --ready-port | --ready-log | \
		--ready-cmd | --podman-option | --podman) ;;
	*) return 1 ;;
	esac
}

# After "--" another command's line begins.
_tamis_other_command() {
	local i
	for ((i = 2; i < cword; i++)); do
		[[ ${words[i]} == -- ]] || continue
		if declare -F _command_offset >/dev/null; then
			_command_offset $((i + 1))
		else
			_tamis_files
		fi
		return 0
	done
	return 1
}

_tamis() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local -a words=("${COMP_WORDS[@]}")
	local cword=$COMP_CWORD
	COMPREPLY=()
	if ((cword == 1)); then
		_tamis_words daemon record trace list show allow deny apply history denials oracle rollback release export diff \
			run forget merge prune check score mine install uninstall --help --version
		return
	fi
	case ${words[1]} in
	record | run | mine) ! _tamis_other_command || return 0 ;;
	esac
	! _tamis_value || return 0
	if [[ $cur == -* ]]; then
		_tamis_options
		return
	fi
	case ${words[1]} in
	show | export | merge) _tamis_workloads ;;
	install) [[ $cword != 2 ]] || _tamis_words podman wrapper kubelet ;;
	uninstall)
		[[ $cword != 2 ]] || _tamis_words podman wrapper
		[[ ${words[2]} != wrapper ]] || _tamis_files
		;;
	allow | deny | apply | history | denials | oracle | rollback | release | forget) [[ $cword != 2 && ${words[2]} != -* ]] || _tamis_workloads ;;
	diff | score)
		_tamis_workloads
		_tamis_files
		;;
	record | run | mine) _tamis_options ;;
	esac
}

complete -F _tamis tamis
