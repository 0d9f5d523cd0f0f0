#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command again and again, each time with another allocation that fails.

usage: nomem.py [OPTION]... PROGRAM STATE -- COMMAND...
   PROGRAM       the name of the process whose allocations fail (tests/tools/failalloc.c)
   STATE         its state directory: as it was before each run
   --every N     each Nth allocation only (1), and each of the first 20
   --from N      begin there
   --count N     so many in a row fail (1)
   --stdin FILE  its standard input
   --start       it is in a start's path: it has to succeed, whatever fails
   --file FILE   it may change that one: afterwards it is what it was, or what it is when nothing fails
   --or FILE     what standard output may be besides what it is when nothing fails

It is wrong for it to die of a signal, to hang, to fail without a line of why, to succeed with another
output than when nothing fails, and to leave a store or an applied file that is neither what it was nor
what it was to be.
"""
import argparse
import glob
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile

TIMEOUT = 60


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("--every", type=int, default=1)
    p.add_argument("--from", type=int, default=1, dest="first")
    p.add_argument("--count", type=int, default=1)
    p.add_argument("--stdin", default="/dev/null")
    p.add_argument("--start", action="store_true")
    p.add_argument("--file")
    p.add_argument("--or", dest="otherwise")
    p.add_argument("program")
    p.add_argument("state")
    p.add_argument("command", nargs="+")
    return p.parse_args()


def content(path):
    with open(path, "rb") as file:
        return file.read()


class Sweep:
    def __init__(self, a):
        self.a = a
        self.wrong = 0
        self.failed = 0
        self.dir = tempfile.mkdtemp(prefix="tamis-nomem.")
        self.mark = os.path.join(self.dir, "mark")
        self.kept = os.path.join(self.dir, "kept")
        shutil.copytree(a.state, self.kept, symlinks=True)
        self.before, self.file_before = self.applied(), self.file()
        self.expected = self.run(0)
        self.after, self.file_after = self.applied(), self.file()
        if self.expected.returncode:
            sys.exit(f"nomem: fails by itself: {self.expected.stderr.decode()}")

    def file(self):
        return content(self.a.file) if self.a.file else None

    def restore(self):
        if self.a.file:
            with open(self.a.file, "wb") as file:
                file.write(self.file_before)
        for name in os.listdir(self.a.state):
            path = os.path.join(self.a.state, name)
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            else:
                os.unlink(path)
        shutil.copytree(self.kept, self.a.state, symlinks=True, dirs_exist_ok=True)

    def applied(self):
        """By name, the digests of generations in force; a file that doesn't parse is an exception."""
        found = {}
        for path in glob.glob(os.path.join(self.a.state, "applied", "**", "*.json"), recursive=True):
            if os.path.isfile(path):
                found[path] = json.loads(content(path))["generation"]["digest"]
        return found

    def run(self, number):
        env = dict(os.environ)
        if number:
            env["LD_PRELOAD"] = os.path.join(os.environ["O"], "tools", "failalloc")
            env["FAILALLOC"] = f"{self.a.program} {number} {self.a.count} {self.mark}"
        with open(self.a.stdin, "rb") as stdin:
            return subprocess.run(self.a.command, env=env, stdin=stdin, capture_output=True, timeout=TIMEOUT,
                                  check=False)

    def complain(self, number, what, got=None):
        self.wrong += 1
        said = got.stderr.decode(errors="replace").strip()[-300:] if got else ""
        print(f"allocation {number}: {what} {said}", flush=True)

    def check_run(self, number, got):
        if got.returncode < 0 or got.returncode > 125:
            self.complain(number, f"ended by signal {got.returncode}", got)
        elif got.returncode and self.a.start:
            self.complain(number, f"failed with {got.returncode}", got)
        elif got.returncode and not got.stderr.strip():
            self.complain(number, "failed without a word")
        elif got.returncode == 0 and got.stdout != self.expected.stdout:
            if not self.a.otherwise or got.stdout != content(self.a.otherwise):
                self.complain(number, f"succeeded with {len(got.stdout)} other bytes", got)
        self.failed += got.returncode != 0

    def check_state(self, number):
        store = os.path.join(self.a.state, "tamis.db")
        if os.path.exists(store):
            db = sqlite3.connect(store)
            said = [row[0] for row in db.execute("PRAGMA integrity_check")]
            db.close()
            if said != ["ok"]:
                self.complain(number, f"the store is damaged: {said[:3]}")
        try:
            now = self.applied()
        except (ValueError, KeyError) as e:
            self.complain(number, f"an applied file is damaged: {e}")
            return
        for path in {*now, *self.before, *self.after}:
            if now.get(path) not in (self.before.get(path), self.after.get(path)):
                self.complain(number, f"{path} is neither what it was nor what it was to be")

    def one(self, number):
        """False: no allocation is that far."""
        self.restore()
        if os.path.exists(self.mark):
            os.unlink(self.mark)
        try:
            got = self.run(number)
        except subprocess.TimeoutExpired:
            self.complain(number, "hangs")
            return True
        if not os.path.exists(self.mark):
            return False
        self.check_run(number, got)
        self.check_state(number)
        if self.file() not in (self.file_before, self.file_after):
            self.complain(number, f"{self.a.file} is neither what it was nor what it was to be")
        return True

    def all(self):
        number, runs = self.a.first, 0
        while self.one(number):
            runs += 1
            number += 1 if number < 20 else self.a.every
        self.restore()
        shutil.rmtree(self.dir)
        print(f"{runs} runs, up to allocation {number - 1}: {self.failed} failed, {self.wrong} wrong")
        return 1 if self.wrong or not runs else 0


sys.exit(Sweep(arguments()).all())
