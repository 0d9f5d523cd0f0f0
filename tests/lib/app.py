# SPDX-License-Identifier: Apache-2.0
"""A small web application: a database, files, digests, a child process.

usage: app.py PORT
"""
import hashlib
import os
import socketserver
import sqlite3
import subprocess
import sys
import tempfile
import wsgiref.simple_server as simple


def count():
    with sqlite3.connect("/tmp/app.db") as db:
        db.execute("CREATE TABLE IF NOT EXISTS seen (n INTEGER)")
        db.execute("INSERT INTO seen VALUES (1)")
        return db.execute("SELECT count(*) FROM seen").fetchone()[0] > 0


def keep():
    with tempfile.NamedTemporaryFile(dir="/tmp", delete=False) as f:
        f.write(b"kept")
        os.fsync(f.fileno())
    os.replace(f.name, "/tmp/app.kept")
    return os.stat("/tmp/app.kept").st_size == 4


def digest():
    return len(hashlib.sha256(os.urandom(4096)).hexdigest()) == 64


def child():
    return subprocess.run(["/bin/true"], check=False).returncode == 0


ROUTES = {"count": count, "keep": keep, "hash": digest, "child": child}


def app(environ, start_response):
    name = environ["PATH_INFO"].rpartition("/")[2]
    text = [("Content-Type", "text/plain")]
    if name == "index.html":
        start_response("200 OK", text)
        return [b"it works\n"]
    if name not in ROUTES:
        start_response("404 Not Found", text)
        return [b"none\n"]
    done = ROUTES[name]()
    start_response("200 OK" if done else "500 Internal Server Error", text)
    return [b"ok\n"]


class Server(socketserver.ThreadingMixIn, simple.WSGIServer):
    daemon_threads = True


class Quiet(simple.WSGIRequestHandler):
    def log_message(self, *_):
        pass


simple.make_server("127.0.0.1", int(sys.argv[1]), app, Server, Quiet).serve_forever()
