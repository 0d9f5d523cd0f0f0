#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What each life of each container called, held against the store.

usage: record.py DIR      reads DIR/lives, calls, cids, shown, jobs, logs, unattributed; prints what is wrong,
                          and at last a line of figures

A life's calls are in its workload, or, when its engine's files were gone before anybody asked, in the
workload that is known by its container's id alone. Only lives under a flooded ring may be in neither, and
only so many as the store says were nobody's. No workload has a call that was not made.
"""
import glob
import json
import os
import sys

DIR = sys.argv[1]
AFTER_FLOOD = 20  # seconds in which a daemon makes up for what it has not heard


def lines(*path):
    name = os.path.join(DIR, *path)
    if not os.path.exists(name):
        return []
    with open(name, encoding="ascii") as file:
        return [line.split() for line in file]


def times(job, wanted):
    return [int(at) for at, what, *_ in lines("jobs", job) if what == wanted]


def ready():
    names = os.listdir(os.path.join(DIR, "logs"))
    return sorted(int(line[0]) for name in names for line in lines("logs", name) if line[2:3] == ["ready:"])


def dried(ended):
    """When a daemon had the time to empty what the flood had filled, the kernel's map of paths too."""
    for since in [ended] + [at for at in ready() if at > ended]:
        if not any(since <= killed <= since + AFTER_FLOOD for killed in times("killer", "daemon")):
            return since + AFTER_FLOOD
    return 1 << 62


def floods():
    return list(zip(times("flooder", "flooding"), map(dried, times("flooder", "flooded"))))


def shown(name):
    """What the store has of a workload: (ABI, number); None when it isn't there."""
    try:
        with open(os.path.join(DIR, "shown", name), encoding="utf-8") as file:
            calls = json.load(file)["calls"]
    except (OSError, ValueError):
        return None
    return {(call["abi"], str(call["nr"])) for call in calls if call["stage"] == "workload"}


def made(slot):
    """The calls of each of a slot's lives that ended well."""
    lives = {}
    for life, abi, number in lines("calls", slot):
        lives.setdefault(life, set()).add((abi, number))
    return lives


def text(calls):
    return " ".join(sorted(f"{abi}:{number}" for abi, number in calls))


def was_flooded(begun, ended):
    return any(begun <= until and ended >= since for since, until in FLOODS)


class Count:
    calls = lives = nameless = lost = wrong = 0


def wrong(what):
    Count.wrong += 1
    print(f"    {what}")


def check_life(slot, life, begun, ended, calls, known):
    cid = [line[0] for line in lines("cids", f"{slot}.{life}")]
    nameless = shown("id:" + cid[0][:12]) if cid else None
    Count.lives += 1
    Count.calls += len(calls)
    if nameless is not None:
        Count.nameless += 1
        if nameless - calls:
            wrong(f"{slot}, life {life}, by its id: has {text(nameless - calls)}")
    missing = calls - known - (nameless or set())
    if not missing:
        return
    if was_flooded(int(begun), int(ended)):
        Count.lost += 1
    else:
        wrong(f"{slot}, life {life}, {begun} to {ended}: lacks {text(missing)}")


def check_slot(slot):
    known, lives = shown(slot) or set(), made(slot)
    foreign = known - set().union(*lives.values())
    if foreign:
        wrong(f"{slot} has {text(foreign)}")
    for life, status, begun, ended, *_ in lines("lives", slot):
        if status == "0":
            check_life(slot, life, begun, ended, lives[life], known)


FLOODS = floods()
for path in sorted(glob.glob(os.path.join(DIR, "lives", "*"))):
    check_slot(os.path.basename(path))
unattributed = int(lines("unattributed")[0][0])
if Count.lost > unattributed:
    wrong(f"{Count.lost} lives are nowhere, and only {unattributed} cgroups are counted")
print(f"{Count.calls} calls of {Count.lives} lives; {Count.nameless} known by their id alone; {Count.lost} of "
      f"{unattributed} cgroups that are counted as nobody's")
sys.exit(1 if Count.wrong or not Count.lives else 0)
