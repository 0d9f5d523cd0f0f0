# SPDX-License-Identifier: Apache-2.0
# same.py BEFORE AFTER: nothing but linux.seccomp differs, by its members and by its bytes.
import json
import sys


class Pairs(list):
    """An object, with all its duplicates, in order."""


def read(path):
    with open(path, "rb") as f:
        text = f.read().decode("utf-8")
    # Numbers stay the text they are.
    return text, json.loads(text, object_pairs_hook=Pairs, parse_int=lambda s: ("n", s),
                            parse_float=lambda s: ("n", s))


def without(value):
    def inner(linux):
        return Pairs(p for p in linux if p[0] != "seccomp") if isinstance(linux, Pairs) else linux

    return Pairs((k, inner(v) if k == "linux" else v) for k, v in value)


def profiles(value):
    for key, linux in value:
        if key == "linux" and isinstance(linux, Pairs):
            found = [v for k, v in linux if k == "seccomp"]
            assert found, "a linux object without a profile"
            yield from found


def bytes_agree(before, after, mark):
    parts = after.split(mark)
    at = 0
    for part in parts[:-1]:
        for added in ("", ',"seccomp":', '"seccomp":'):
            kept = part[:len(part) - len(added)]
            if part.endswith(added) and before.startswith(kept, at):
                at += len(kept)
                break
        else:
            raise AssertionError("bytes differ before %r" % part[-40:])
        if not added:
            at = json.JSONDecoder().raw_decode(before, at)[1]
        elif before[at:].lstrip()[:1] != "}":
            raise AssertionError("put in elsewhere than at the end of linux")
    assert parts[-1] == before[at:], "bytes differ at the end"


before_text, before = read(sys.argv[1])
after_text, after = read(sys.argv[2])
assert without(before) == without(after), "members differ"
ours = list(profiles(after))
assert ours and all(p == ours[0] for p in ours), "profiles differ"
assert dict(ours[0])["defaultAction"] == "SCMP_ACT_TAMIS"
start = after_text.index('{"defaultAction":"SCMP_ACT_TAMIS"')
end = json.JSONDecoder().raw_decode(after_text, start)[1]
bytes_agree(before_text, after_text, after_text[start:end])
