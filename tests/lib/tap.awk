# SPDX-License-Identifier: Apache-2.0
# One test program's TAP output (cmocka's, bats') -> records, one a line:
#   pass NAME | fail NAME | out LINE (of the last failure, or "# said: LINE") | skip NAME<TAB>REASON
# -v rc=EXIT -v limit=SECONDS: what the program as a whole is guilty of is a failure, too.

function fail(name) { print "fail " name; failed++ }

function skip(name, reason) {
	print "skip " name "\t" (reason == "" ? "no reason given" : reason)
}

{ sub(/\r$/, "") }

/^1\.\.[0-9]+/ { plan += substr($1, 4); plans++; open = 0; next }

# cmocka: "not ok 2 # SKIP name", the reason being what the test printed before
/^(not )?ok [0-9]+ # SKIP / {
	seen++; open = 0
	name = $0; sub(/^(not )?ok [0-9]+ # SKIP /, "", name)
	skip(name, noise)
	noise = ""
	next
}

# bats: "ok 2 name # skip reason"
/^ok [0-9]+ .* # skip/ {
	seen++; open = 0
	name = $0; sub(/^ok [0-9]+ (- )?/, "", name)
	reason = name; sub(/^.* # skip */, "", reason); sub(/ # skip.*$/, "", name)
	skip(name, reason)
	next
}

/^ok [0-9]+/ {
	seen++; open = 0; noise = ""
	sub(/^ok [0-9]+ (- )?/, "")
	print "pass " $0
	next
}

/^not ok [0-9]+/ {
	seen++; noise = ""
	sub(/^not ok [0-9]+ (- )?/, "")
	fail($0)
	open = 1
	next
}

/^# said: / { sub(/^# said: /, ""); print "out # " $0; next }
open && /^#/ { print "out " $0; next }
!/^#/ { noise = $0; tail[++lines] = $0 }

END {
	if (rc == 124 || rc == 137)
		fail("(all: killed after " limit " s)")
	else if (rc != 0 && !failed)
		fail("(all: exit status " rc ")")
	if (plans == 0 || plan == 0)
		fail("(all: ran no test)")
	else if (seen < plan)
		fail("(all: " plan - seen " of " plan " tests never ended)")
	else if (seen > plan)
		fail("(all: " seen " results for " plan " tests)")
	else
		exit
	for (i = lines > 20 ? lines - 19 : 1; i <= lines; i++)
		print "out # " tail[i]
}
