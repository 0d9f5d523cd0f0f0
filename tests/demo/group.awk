# SPDX-License-Identifier: Apache-2.0
# Names, one a line -> "group  name name ...", wrapped at 92 columns.
FILENAME ~ /groups$/ {
	if ($0 !~ /^[a-z]+:/)
		next
	group = substr($1, 1, length($1) - 1)
	order[++groups] = group
	for (i = 2; i <= NF; i++)
		of[$i] = group
	next
}

{
	best = ""
	for (p in of)
		if (index($1, p) == 1 && length(p) > length(best))
			best = p
	group = best == "" ? "other" : of[best]
	names[group] = names[group] " " $1
}

function show(group,    n, word, i, line) {
	n = split(names[group], word, " ")
	line = sprintf("             %-10s", group)
	for (i = 1; i <= n; i++) {
		if (length(line) + length(word[i]) > 91) {
			print line
			line = sprintf("             %-10s", "")
		}
		line = line " " word[i]
	}
	if (n)
		print line
}

END {
	order[++groups] = "other"
	for (g = 1; g <= groups; g++)
		show(order[g])
}
