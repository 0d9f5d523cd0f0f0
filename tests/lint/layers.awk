# SPDX-License-Identifier: Apache-2.0
# base -> model -> {sensor, identity, policy, emit} -> apply -> learn -> mine -> cli; start and keeper
# stand aside: start takes what apply does without the store, the sensor or the bus. A layer may include itself and what is named here.
BEGIN {
	may["base"] = ""
	may["model"] = "base"
	may["sensor"] = may["identity"] = may["policy"] = may["emit"] = "base model"
	may["apply"] = "base model sensor identity policy emit"
	may["learn"] = may["apply"] " apply"
	may["mine"] = may["learn"] " learn"
	may["cli"] = may["mine"] " mine"
	may["start"] = "base model identity policy emit apply"
	may["keeper"] = "base model identity policy emit apply"
	# The one header that both halves share, and what bpftool makes of the kernel half.
	extra["bpf/abi.h"] = "model sensor learn mine keeper"
	# What the keeper leaves for the daemon.
	extra["keeper/journal.h"] = "keeper learn"
	extra["sensor.skel.h"] = extra["portable.skel.h"] = extra["legacy.skel.h"] = "sensor"
	extra["probe.skel.h"] = "sensor"
}

FNR == 1 { split(FILENAME, path, "/"); layer = path[2] }

function among(word, list) { return index(" " list " ", " " word " ") > 0 }

/^[ \t]*#[ \t]*include[ \t]*"/ {
	split($0, quoted, "\"")
	inc = quoted[2]
	folder = inc ~ /\// ? substr(inc, 1, index(inc, "/") - 1) : ""
	if (inc in extra ? among(layer, extra[inc]) : folder == layer || among(folder, may[layer]))
		next
	printf "%s:%d: layer \"%s\" may not include \"%s\"\n", FILENAME, FNR, layer, inc
	bad = 1
}

END { exit bad }
