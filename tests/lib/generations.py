# SPDX-License-Identifier: Apache-2.0
"""Every call that any generation in a store has as a container's own, or a session's: "NUMBER ABI NR"
lines. usage: generations.py STORE WORKLOAD"""
import sqlite3
import sys

STAGES = (2, 3)  # bpf/abi.h
QUERY = """SELECT number, abi, calls FROM generation_set
    JOIN workload ON workload.id = generation_set.workload
    WHERE key = ? AND stage IN (?, ?) ORDER BY number, abi"""

with sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True) as store:
    for number, abi, calls in store.execute(QUERY, (sys.argv[2], *STAGES)):
        for nr in range(len(calls) * 8):
            if calls[nr // 8] >> nr % 8 & 1:
                print(number, abi, nr)
