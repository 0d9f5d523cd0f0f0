# SPDX-License-Identifier: Apache-2.0
# made.py DIR: config.json texts as engines and people write them, and as nobody would.
import json
import os
import sys

out = sys.argv[1]
BIG = 18446744073709551615


def put(name, text):
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    with open(os.path.join(out, name + ".json"), "wb") as f:
        f.write(data)


def caps(*names):
    return {kind: list(names) for kind in ("bounding", "effective", "permitted")}


def spec(**more):
    s = {
        "ociVersion": "1.0.2",
        "process": {"user": {"uid": 0, "gid": 0}, "args": ["sh", "-c", "echo \"a\\b\""],
                    "env": ["A=b", "UTF=äöü€🐳"], "cwd": "/",
                    "capabilities": caps("CAP_KILL", "CAP_CHOWN"), "noNewPrivileges": True,
                    "rlimits": [{"type": "RLIMIT_NOFILE", "hard": BIG, "soft": 1024}]},
        "root": {"path": "rootfs"},
        "hostname": "h",
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
        "linux": {"cgroupsPath": "system.slice:docker:abc",
                  "resources": {"memory": {"limit": 9223372036854775807, "swap": -1},
                                "devices": [{"allow": False, "access": "rwm"}]},
                  "namespaces": [{"type": "pid"}, {"type": "mount"}],
                  "maskedPaths": ["/proc/kcore"]},
    }
    s.update(more)
    return s


def profile():
    return {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1,
            "architectures": ["SCMP_ARCH_X86_64"],
            "syscalls": [{"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"},
                         {"names": ["clone"], "action": "SCMP_ACT_ALLOW",
                          "args": [{"index": 0, "value": BIG, "valueTwo": 0,
                                    "op": "SCMP_CMP_MASKED_EQ"}]}]}


def confined(**more):
    s = spec(**more)
    s["linux"]["seccomp"] = profile()
    return s


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


docker = confined(annotations={"org.example": "x"})
put("docker", compact(docker))
cri = confined(annotations={"io.kubernetes.cri.container-type": "container",
                            "io.kubernetes.cri.sandbox-name": "web-0"})
cri["linux"]["cgroupsPath"] = "/kubepods/burstable/pod1/abc"
cri["linux"]["seccomp"]["flags"] = ["SECCOMP_FILTER_FLAG_LOG"]
put("cri", compact(cri))
put("indented", json.dumps(confined(), ensure_ascii=False, indent="\t"))
put("ascii", json.dumps(confined(), ensure_ascii=True, indent=4))
put("crlf", json.dumps(confined(), indent=2).replace("\n", "\r\n") + "\r\n")
put("blanks", " \n\t " + json.dumps(confined(), separators=("\n,\r\n ", " :\t")) + "\n\n")
put("unconfined", compact(spec()))
put("unconfined-indented", json.dumps(spec(), indent=2))
null = spec()
null["linux"]["seccomp"] = None
put("null", compact(null))
first = {"linux": {"seccomp": profile(), "z": 1}, "a": [1]}
put("first", compact(first))
put("last", compact({"a": 1, "linux": {"z": 1, "seccomp": profile()}}))
put("only", '{"linux":{"seccomp":{}}}')
put("empty-linux", '{"ociVersion":"1","linux":{}}')
put("empty-linux-blanks", '{"linux": {\n\t}\n}')
put("listener", compact({"linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath":
    "/run/x y.sock", "listenerMetadata": "m\"n", "flags": []}}}))
# Numbers that no double and no int64 holds.
put("integers", '{"a":9223372036854775808,"b":18446744073709551615,"c":-9223372036854775809,'
    '"d":123456789012345678901234567890,"linux":{"x":9007199254740993,"seccomp":{"defaultAction":'
    '"SCMP_ACT_ALLOW","syscalls":[{"args":[{"value":18446744073709551615}]}]},"y":-0},"e":1.10,'
    '"f":1E400,"g":0.1e-7,"h":[1.0,1,1e0]}')
put("unknown", '{"x-new":{"linux":{"seccomp":1}},"linux":{"future":[{"seccomp":{"a":1}},[[]],""],'
    '"seccomp":{"defaultAction":"SCMP_ACT_KILL","future":{"b":[1,2]}},"timeOffsets":{}},"vm":null}')
put("annotations", compact(confined(annotations={"linux": "seccomp", "seccomp": "{\"linux\":1}",
    "Linux": "x", "Seccomp": "y", "\"linux\":{\"seccomp\":": "}"})))
# Keys that aren't spelled as they are read.
put("escaped", '{"\\u006cinux":{"\\u0073\\u0065ccomp":{"defaultAction":"SCMP_ACT_ALLOW"},"a":1}}')
put("escaped-all", '{"\\u006C\\u0069\\u006E\\u0075\\u0078":{"\\u0073\\u0065\\u0063\\u0063\\u006f'
    '\\u006d\\u0070":null}}')
put("escapes", '{"a\\"b":"\\\\","c\\\\":"\\"linux\\":{","linux":{"k\\u0000":"\\ud83d\\udc33\\/",'
    '"seccomp":{"x":"\\"}"}}}')
# Duplicates: whichever a reader takes.
put("twice-seccomp", '{"linux":{"seccomp":{"a":1},"x":1,"seccomp":{"b":2}}}')
put("twice-null", '{"linux":{"seccomp":{"a":1},"seccomp":null}}')
put("twice-linux", '{"linux":{"seccomp":{"a":1},"x":1},"y":2,"linux":{"z":3}}')
put("twice-linux-null", '{"linux":{"seccomp":{"a":1}},"linux":null}')
put("twice-mixed", '{"linux":{"s\\u0065ccomp":1,"seccomp":[2]},"\\u006cinux":{"seccomp":{"c":3}},'
    '"a":1,"a":2}')
put("refused-text", '{"linux":{"seccomp":"text","a":1}}')
put("utf8", compact(confined(hostname="größe-漢字-🐳", annotations={"ключ": "значение", "\u2028":
    "\u202e", "\ufeff": "\u007f"})))
put("del", '{"hostname":"\x7f","linux":{"seccomp":{"\x7f":1}}}')
deep = "[" * 60 + "]" * 60
put("deep", '{"a":%s,"linux":{"b":%s,"seccomp":{"c":%s}}}' % (deep, deep, deep))
put("wide", compact(confined(env={"k%d" % i: "v" * (i % 50) for i in range(20000)})))
put("huge", compact(confined(process={"env": ["x" * 1000] * 3000})))
put("long-string", '{"linux":{"seccomp":{}},"s":"' + "\\\\" * 500000 + '\\""}')
put("slashes", '{"linux":{"seccomp":{"a":"\\/\\b\\f\\n\\r\\t"}},"p":"c:\\\\linux\\\\"}')

# What isn't touched: the container starts as it is.
put("refused-no-linux", '{"ociVersion":"1.0.2","windows":{}}')
put("refused-linux-null", '{"linux":null}')
put("refused-linux-array", '{"linux":[{"seccomp":{}}]}')
put("refused-case", '{"Linux":{"seccomp":{}}}')
put("refused-case-seccomp", '{"linux":{"secComp":{}}}')
put("refused-long-s", '{"linux":{"\u017feccomp":{}}}')
put("refused-bytes", b'{"a":"\xff","linux":{"seccomp":{}}}')
put("refused-surrogate", '{"a":"\ud83d","linux":{"seccomp":{}}}')
put("refused-cut", compact(confined())[:-1])
put("refused-tail", compact(confined()) + "{}")
put("refused-comma", '{"linux":{"seccomp":{},}}')
put("refused-control", '{"linux":{"seccomp":{"a":"\n"}}}')
put("refused-deep", '{"a":%s,"linux":{"seccomp":{}}}' % ("[" * 64 + "]" * 64))
put("refused-large", '{"linux":{"seccomp":{}},"s":"%s"}' % ("x" * (8 << 20)))
put("refused-empty", "")
put("refused-bom", "\ufeff" + compact(confined()))
