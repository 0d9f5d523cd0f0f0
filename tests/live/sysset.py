#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Sets of calls as lines "ABI NUMBER", made from what strace and tamis print, and compared.
"ABI NUMBER cut" may be in the other set or not.

usage: sysset.py strace ROOT_PID FILE    what `strace -f -n --quiet=path-resolution -o FILE` saw,
                                         without ROOT_PID's calls up to its first exec
       sysset.py names FILE              from the lines "ABI call" of tamis' format names
       sysset.py diff WANTED GOT         files of such lines; exits with 1 when they differ
       sysset.py subset PART WHOLE       exits with 1 when PART has what WHOLE has not
       sysset.py many WANTED NAMES       diff for each file of the directory WANTED, with the
                                         file of the same name in NAMES, of "ABI call" lines

Numbers and names are those of the C library's kernel headers, so that tamis' own tables are
checked, too; only names that are newer than the headers are taken from those tables. Whatever
strace prints and this does not understand is an error.
"""
import os
import platform
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TABLES = os.path.join(HERE, "../../user/model/calls")
NATIVE = platform.machine()
# Only where a 32-bit C library is installed there is a second one on arm64.
HEADERS = {
    "x86_64": {"x86_64": "asm/unistd_64.h", "i386": "asm/unistd_32.h"},
    "aarch64": {"aarch64": "asm/unistd.h", "arm": "arm-linux-gnueabihf/asm/unistd-eabi.h"},
}[NATIVE]
MODES = {"64 bit": NATIVE, "32 bit": {"x86_64": "i386", "aarch64": "arm"}[NATIVE], "x32": "x32"}
# i386's socketcall and ipc: strace prints the call that their first argument means.
INSIDE = {
    102: set("socket bind connect listen accept getsockname getpeername socketpair send recv "
             "sendto recvfrom shutdown setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg "
             "sendmmsg".split()),
    117: set("semop semget semctl semtimedop msgsnd msgrcv msgget msgctl shmat shmdt shmget "
             "shmctl".split()),
}
# ARM's private calls (asm/unistd.h of arm), which the sets have moved.
PRIVATE = {"breakpoint": 1, "cacheflush": 2, "usr26": 3, "usr32": 4, "set_tls": 5, "get_tls": 6}
PRIVATE_BASE, PRIVATE_MOVED = 0x0F0000, 560
# More than tamis' sets hold: counted there, in no set.
NUMBERS_END = 576


def headers_table(abi, header):
    text = subprocess.run(["gcc", "-E", "-dM", "-include", header, "-x", "c", "/dev/null"],
                          check=abi != "arm", capture_output=True, text=True).stdout
    macros = dict(re.findall(r"^#define (__NR\w+) (\w+|\(__NR_SYSCALL_BASE ?\+ ?\d+\))$", text, re.M))
    table = {}
    for macro, value in macros.items():
        while value in macros:  # __NR_mmap is __NR3264_mmap on arm64
            value = macros[value]
        number = re.search(r"\d+", value)
        if macro.startswith("__NR_") and number:
            table[macro[len("__NR_"):]] = int(number.group())
    if abi == "arm" and table:
        table |= {name: PRIVATE_MOVED + n for name, n in PRIVATE.items()}
    return table


NUMBER = {abi: headers_table(abi, header) for abi, header in HEADERS.items()}
NAME = {abi: {nr: name for name, nr in table.items()} for abi, table in NUMBER.items()}


def newer_number(abi, name):
    with open(os.path.join(TABLES, abi + ".tbl"), encoding="ascii") as table:
        for line in table:
            fields = line.split()
            if len(fields) == 2 and fields[1] == name and int(fields[0]) not in NAME[abi]:
                return int(fields[0])
    raise SystemExit(f"sysset: {abi} has no call {name!r}")


def number_of(abi, name):
    if abi not in NUMBER:
        raise SystemExit(f"sysset: no ABI {abi!r} here")
    if name.startswith("#"):
        return int(name[1:])
    if name in NUMBER[abi]:
        return NUMBER[abi][name]
    return newer_number(abi, name)


def moved(nr):
    if "arm" in NUMBER and 0 < nr - PRIVATE_BASE < NUMBERS_END - PRIVATE_MOVED:
        return nr - PRIVATE_BASE + PRIVATE_MOVED
    return nr


class Task:
    """A thread that strace follows."""

    def __init__(self, started):
        self.started = started  # False: all that it does is left out
        self.abi = None  # as far as known
        self.undecided = []  # calls that are the same in two ABIs, before it is known
        self.call = None  # entered, not yet resumed
        self.entered = None  # of that call, as enter() has it


class Trace:
    LINE = re.compile(r"(\d+) +\[ *(\d+|\?\?\?)\] (.*)")
    MODE = re.compile(r"\[ Process PID=(\d+) runs in (.*) mode\. \]")
    RESULT = r" = (-?\d+|0x[0-9a-f]+|\?(?: ERESTART\w+)?)(?: .*)?"
    # A thread that execs takes its leader's pid: resumed under that.
    CUT = r"<(?:unfinished|pid changed to \d+) \.\.\.>"
    CALL = re.compile(r"(\w+)\(.*(?:" + CUT + "|" + RESULT + ")")
    RESUMED = re.compile(r"<\.\.\. (\w+) resumed>.*" + RESULT)
    SIGNAL = re.compile(r"--- (SIG\w+ \{.*\}|stopped by SIG\w+) ---")
    END = re.compile(r"\+\+\+ (exited with \d+|killed by SIG\w+( \(core dumped\))?) \+\+\+")
    SUPERSEDED = re.compile(r"\+\+\+ superseded by execve in pid (\d+) \+\+\+")
    # Killed while it stood at the entry: its registers are gone, and the kernel gives the call up
    # before the tracepoint (syscall_trace_enter, fatal_signal_pending). It was not made.
    KILLED = re.compile(r"\?\?\?\(\) += \?")
    UNKNOWN = re.compile(r"syscall_0x[0-9a-f]+")

    def __init__(self, root):
        self.root = root
        self.tasks = {root: Task(False)}
        self.calls = set()
        # Never resumed. Who is killed while strace stops it at the entry doesn't make the call, nor
        # reaches the tracepoint (see KILLED), which strace can't tell from one that waited inside.
        self.cut = set()

    def candidates(self, nr, name):
        if self.UNKNOWN.fullmatch(name):
            return [abi for abi in NAME if nr not in NAME[abi]]
        abis = [abi for abi in NAME if NAME[abi].get(nr) == name]
        if name in INSIDE.get(nr, ()) and "i386" in NAME:
            abis.append("i386")
        return abis

    def decide(self, task, nr, name):
        """The ABI of a call: its number and name tell, else what strace said of the task."""
        abis = self.candidates(nr, name)
        if task.abi in abis:
            return task.abi
        if task.abi is not None or not abis:
            raise ValueError(f"{name} is not number {nr} of {task.abi or 'any ABI'}")
        return abis[0] if len(abis) == 1 else None

    def set_abi(self, task, abi):
        self.calls.update((abi, nr) for nr in task.undecided)
        task.undecided = []
        task.abi = abi

    def enter(self, task, text, name):
        """What is to be added to the calls once it is sure that it was made."""
        nr = NUMBERS_END if text == "???" else moved(int(text))
        if nr >= NUMBERS_END or not task.started:
            return set()
        abi = self.decide(task, nr, name)
        if abi is None:
            task.undecided.append(nr)
            return set()
        self.set_abi(task, abi)
        return {(abi, nr)}

    def made(self, name, result):
        """Where it belongs. "?" alone is the end of one that was killed in it, or at its entry."""
        return self.cut if result == "?" and not name.startswith("exit") else self.calls

    def leave(self, pid, task, name, result):
        if name in ("execve", "execveat") and result == "0" and pid == self.root:
            task.started = True

    def on_call(self, pid, task, nr, match):
        name, result = match.groups()
        if task.call:
            raise ValueError(f"{task.call} never ended")
        entered = self.enter(task, nr, name)
        if result is None:
            task.call, task.entered = name, entered
        else:
            self.made(name, result).update(entered)
            self.leave(pid, task, name, result)

    def on_resumed(self, pid, task, match):
        if task.call != match[1]:
            raise ValueError(f"{task.call} was entered")
        self.made(match[1], match[2]).update(task.entered)
        task.call = task.entered = None
        self.leave(pid, task, match[1], match[2])

    def line(self, text):
        match = self.LINE.fullmatch(text)
        if not match:
            raise ValueError("not a line of strace -f -n")
        pid, nr, rest = int(match[1]), match[2], match[3]
        task = self.tasks.setdefault(pid, Task(True))
        if match := self.MODE.fullmatch(rest):
            if task.undecided:
                raise ValueError("the ABI of earlier calls was never told")
            task.abi = MODES[match[2]]
        elif match := self.SUPERSEDED.fullmatch(rest):
            self.cut |= self.tasks[pid].entered or set()
            self.tasks[pid] = self.tasks.pop(int(match[1]))
        elif self.END.fullmatch(rest):
            self.forget(pid)
        elif self.SIGNAL.fullmatch(rest) or self.KILLED.fullmatch(rest):
            pass
        elif match := self.RESUMED.fullmatch(rest):
            self.on_resumed(pid, task, match)
        elif match := self.CALL.fullmatch(rest):
            self.on_call(pid, task, nr, match)
        else:
            raise ValueError("not understood")

    def forget(self, pid):
        task = self.tasks.pop(pid)
        self.cut |= task.entered or set()
        if task.undecided:
            raise ValueError("the ABI of its calls was never told")

    def end(self):
        if self.tasks:
            raise SystemExit(f"sysset: no end seen of {sorted(self.tasks)}")


def read_lines(path):
    with sys.stdin if path == "-" else open(path, encoding="utf-8") as lines:
        return [line.rstrip("\n") for line in lines]


def from_strace(root, path):
    trace = Trace(int(root))
    for number, text in enumerate(read_lines(path), 1):
        try:
            trace.line(text)
        except ValueError as why:
            raise SystemExit(f"sysset: {path}:{number}: {why}: {text[:200]}") from None
    trace.end()
    return trace.calls, trace.cut - trace.calls


def from_names(path):
    return {(abi, number_of(abi, name)) for abi, name in map(str.split, read_lines(path))}


def from_numbers(path, cut=False):
    """The calls, or those that were cut."""
    lines = map(str.split, read_lines(path))
    return {(line[0], int(line[1])) for line in lines if (line[2:] == ["cut"]) == cut}


def show(title, calls):
    """Prints them; whether there were any."""
    for abi, nr in sorted(calls):
        print(f"{title}: {abi} {nr} ({NAME.get(abi, {}).get(nr, 'no name')})")
    return bool(calls)


def differ(wanted, got, where="", cut=frozenset()):
    missing = show(where + "missing", wanted - got)
    extra = show(where + "extra", got - wanted - cut)
    return missing or extra


def differ_many(wanted_dir, names_dir):
    bad = 0
    for name in sorted(os.listdir(wanted_dir)):
        names = os.path.join(names_dir, name)
        got = from_names(names) if os.path.exists(names) else set()
        bad += differ(from_numbers(os.path.join(wanted_dir, name)), got, name + ": ")
    return bad > 0


def main(argv):
    match argv[1:]:
        case ["strace", root, path]:
            calls, cut = from_strace(root, path)
        case ["names", path]:
            calls, cut = from_names(path), ()
        case ["diff", wanted, got]:
            return differ(from_numbers(wanted), from_numbers(got),
                          cut=from_numbers(wanted, cut=True))
        case ["subset", part, whole]:
            return show("unexpected", from_numbers(part) - from_numbers(whole))
        case ["many", wanted, names]:
            return differ_many(wanted, names)
        case _:
            raise SystemExit(__doc__)
    for abi, nr in sorted(calls):
        print(abi, nr)
    for abi, nr in sorted(cut):
        print(abi, nr, "cut")
    return 0


sys.exit(main(sys.argv))
