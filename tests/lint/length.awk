# SPDX-License-Identifier: Apache-2.0
# No function over 60 lines. A function's braces stand in the first column, a table's don't open there.
{ sub(/\r$/, "") }
FNR == 1 { open = 0 }
/^[a-zA-Z_].*\(/ && !open { name = $0 }
/^\{/ { open = FNR }
/^\}/ && open {
	if (FNR - open - 1 > 60) {
		printf "%s:%d: %d lines: %s\n", FILENAME, open, FNR - open - 1, name
		bad = 1
	}
	open = 0
}
END { exit bad }
