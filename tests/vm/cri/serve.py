#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""As much of a CRI client as the tests need: what a kubelet asks of containerd.

usage: serve.py SOCKET   standard input: "METHOD JSON" a line; output: the answer's JSON a line, or
"! " and the error's text. Names and numbers are those of the CRI's api.proto, v1.
"""
import json
import sys

import grpc

# A message: name -> (number, type). Types: str, int, bool, map (of strings), a message, [type].
POD_NAME = {"name": (1, str), "uid": (2, str), "namespace": (3, str), "attempt": (4, int)}
NAMESPACES = {"network": (1, int), "pid": (2, int), "ipc": (3, int)}
PROFILE = {"profile_type": (1, int), "localhost_ref": (2, str)}
POD_LINUX = {
    "cgroup_parent": (1, str),
    "security_context": (2, {"namespace_options": (1, NAMESPACES), "seccomp": (9, PROFILE)}),
}
POD = {
    "metadata": (1, POD_NAME),
    "hostname": (2, str),
    "log_directory": (3, str),
    "labels": (6, map),
    "annotations": (7, map),
    "linux": (8, POD_LINUX),
}
SECURITY = {
    "privileged": (2, bool),
    "namespace_options": (3, NAMESPACES),
    "no_new_privs": (11, bool),
    "seccomp": (15, PROFILE),
}
CONTAINER = {
    "metadata": (1, {"name": (1, str), "attempt": (2, int)}),
    "image": (2, {"image": (1, str)}),
    "command": (3, [str]),
    "args": (4, [str]),
    "labels": (9, map),
    "annotations": (10, map),
    "log_path": (11, str),
    "linux": (15, {"security_context": (2, SECURITY)}),
}
POD_ID = {"pod_sandbox_id": (1, str)}
ID = {"container_id": (1, str)}
STATUS = {"id": (1, str), "state": (3, int), "exit_code": (7, int), "image_ref": (9, str)}
METHODS = {
    "Version": ({"version": (1, str)}, {"runtime_name": (2, str), "runtime_version": (3, str)}),
    "RunPodSandbox": ({"config": (1, POD), "runtime_handler": (2, str)}, POD_ID),
    "StopPodSandbox": (POD_ID, {}),
    "RemovePodSandbox": (POD_ID, {}),
    "CreateContainer": (
        {"pod_sandbox_id": (1, str), "config": (2, CONTAINER), "sandbox_config": (3, POD)},
        ID,
    ),
    "StartContainer": (ID, {}),
    "StopContainer": ({"container_id": (1, str), "timeout": (2, int)}, {}),
    "RemoveContainer": (ID, {}),
    "ContainerStatus": (ID, {"status": (1, STATUS)}),
    "ExecSync": (
        {"container_id": (1, str), "cmd": (2, [str]), "timeout": (3, int)},
        {"stdout": (1, str), "stderr": (2, str), "exit_code": (3, int)},
    ),
}
PAIR = {"key": (1, str), "value": (2, str)}


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def encode_field(number, kind, value):
    if kind in (int, bool):
        return varint(number << 3) + varint(int(value))
    data = value.encode() if kind is str else encode(kind, value)
    return varint(number << 3 | 2) + varint(len(data)) + data


def encode(message, value):
    out = b""
    for name, inner in value.items():
        number, kind = message[name]
        if kind is map:
            pairs = [{"key": k, "value": v} for k, v in inner.items()]
            out += b"".join(encode_field(number, PAIR, pair) for pair in pairs)
        elif isinstance(kind, list):
            out += b"".join(encode_field(number, kind[0], one) for one in inner)
        else:
            out += encode_field(number, kind, inner)
    return out


def take_varint(data, at):
    n = shift = 0
    while True:
        n |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return n, at


def take_field(data, at):
    tag, at = take_varint(data, at)
    value, at = take_varint(data, at)
    if tag & 7 == 2:
        return tag >> 3, data[at : at + value], at + value
    if tag & 7 != 0:
        raise ValueError(f"wire type {tag & 7}")
    return tag >> 3, value, at


def decode(message, data):
    names = {number: (name, kind) for name, (number, kind) in message.items()}
    out = {name: kind() for name, (_, kind) in message.items() if isinstance(kind, type)}
    at = 0
    while at < len(data):
        number, value, at = take_field(data, at)
        name, kind = names.get(number, (None, None))
        if kind is str:
            out[name] = value.decode(errors="replace")
        elif kind in (int, bool):
            out[name] = value
        elif kind:
            out[name] = decode(kind, value)
    return out


def ask(channel, line):
    method, _, text = line.partition(" ")
    request, response = METHODS[method]
    call = channel.unary_unary(
        f"/runtime.v1.RuntimeService/{method}",
        request_serializer=lambda value: encode(request, value),
        response_deserializer=lambda data: decode(response, data),
    )
    return call(json.loads(text or "{}"), timeout=120)


def main():
    with grpc.insecure_channel(f"unix://{sys.argv[1]}") as channel:
        for line in sys.stdin:
            try:
                answer = json.dumps(ask(channel, line.strip()))
            except grpc.RpcError as e:
                answer = "! " + " ".join(e.details().split())
            except (KeyError, ValueError) as e:
                answer = f"! {e!r}"
            print(answer, flush=True)


main()
