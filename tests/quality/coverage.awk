# SPDX-License-Identifier: Apache-2.0
# gcov's summaries -> lines run by folder, the ten files with most lines that nothing ran, the whole.
/^File '/ { file = $0; gsub(/^File '(\.\/)?|'$/, "", file); next }

/^Lines executed:/ && file ~ /^user\/.*\.c$/ {
	split($0, part, /[:%]/)
	of = $NF
	run = int(part[2] * of / 100 + 0.5)
	folder = file
	sub(/\/[^\/]*$/, "", folder)
	if (!(folder in lines))
		order[++folders] = folder
	lines[folder] += of
	ran[folder] += run
	left[++files] = of - run
	name[files] = file
	percent[files] = part[2]
	all += of
	all_ran += run
}

{ file = "" }

function share(part, whole) { return whole ? 100 * part / whole : 0 }

END {
	for (i = 1; i <= folders; i++)
		printf "  %-24s %6.1f %% of %5d lines\n", order[i], share(ran[order[i]], lines[order[i]]), lines[order[i]]
	for (n = 0; n < 10 && n < files; n++) {
		most = 0
		for (i = 1; i <= files; i++)
			if (!(i in told) && (!most || left[i] > left[most]))
				most = i
		told[most] = 1
		printf "  %-40s %5d lines not run (%s %%)\n", name[most], left[most], percent[most]
	}
	printf "line coverage of user/: %.1f %% of %d lines\n", share(all_ran, all), all
	if (files && share(all_ran, all) >= min)
		exit
	printf "under %s %%\n", min
	exit 1
}
