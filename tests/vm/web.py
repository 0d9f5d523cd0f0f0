#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A service whose calls are few: answers "ok", and to /try the errno of a call that it makes for
nothing else, 0 where it was made.

usage: web.py PORT
"""
import os
import socket
import sys


def attempt():
    try:
        os.getpriority(os.PRIO_PROCESS, 0)
    except OSError as e:
        return e.errno
    return 0


def main():
    server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    while True:
        client, _ = server.accept()
        with client:
            request = b""
            while b"\r\n\r\n" not in request:
                request += client.recv(4096) or b"\r\n\r\n"
            answer = attempt() if request.startswith(b"GET /try ") else "ok"
            client.sendall(f"HTTP/1.0 200 OK\r\n\r\n{answer}\n".encode())


main()
