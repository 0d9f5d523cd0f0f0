#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A page in headless Chromium, through its debugging pipe: what it shows, asks for and does.

usage: browser.py PAGE [STEP...]      steps are taken in their order:
  size=WxH  dark  light  print  noscript     how the page is seen, before `open` (phone: touch, too)
  open                                       loads PAGE (implied at the first step that needs it)
  hover=SELECTOR  tap=SELECTOR  focus=SELECTOR  key=NAME  type=TEXT
  eval=EXPRESSION                            its value goes to "values"
  wait=EXPRESSION                            until it is true
  shot=FILE  full=FILE  pdf=FILE             of the window, of the whole page, in print
An element is brought into view before it is pointed at. Without a network: no name resolves.
Prints {"values": [...], "requests": [...], "log": [...]}: every URL that was asked for, everything
that the page or the browser complained of.
"""
import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

LIMIT = 120
BROWSER = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
           "--disable-dev-shm-usage", "--disable-extensions", "--disable-background-networking",
           "--disable-component-update", "--disable-sync", "--disable-breakpad",
           "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND",
           "--remote-debugging-pipe"]


class Browser:
    def __init__(self):
        self.home = tempfile.mkdtemp(prefix="tamis-browser-")
        self.events, self.last, self.rest, self.session = [], 0, b"", None
        down, self.write_fd = os.pipe()
        self.read_fd, up = os.pipe()

        def pipes():
            # Whatever numbers they have: neither may be overwritten before it is moved.
            a, b = os.dup2(down, 10), os.dup2(up, 11)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen(
            BROWSER + ["--user-data-dir=" + self.home], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False,
            preexec_fn=pipes, start_new_session=True,
            env={**os.environ, "HOME": self.home, "TMPDIR": self.home})
        os.close(down)
        os.close(up)

    def close(self):
        # Its processes are one group, whose number is ours as long as it wasn't waited for.
        os.killpg(self.process.pid, signal.SIGTERM)
        end = time.monotonic() + 10
        while os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            if time.monotonic() > end:
                break
            time.sleep(0.05)
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        # A helper of it that is about to end may still write.
        while os.path.exists(self.home) and time.monotonic() < end + 10:
            shutil.rmtree(self.home, ignore_errors=True)
            time.sleep(0.05)

    def message(self):
        while b"\0" not in self.rest:
            more = os.read(self.read_fd, 1 << 16)
            if not more:
                raise RuntimeError("the browser is gone")
            self.rest += more
        one, self.rest = self.rest.split(b"\0", 1)
        return json.loads(one)

    def call(self, method, **params):
        self.last += 1
        text = {"id": self.last, "method": method, "params": params}
        if self.session:
            text["sessionId"] = self.session
        os.write(self.write_fd, json.dumps(text).encode() + b"\0")
        while True:
            m = self.message()
            if m.get("id") == self.last:
                if "error" in m:
                    raise RuntimeError(method + ": " + m["error"]["message"])
                return m["result"]
            if "method" in m:
                self.events.append(m)

    def wait_event(self, name):
        while not any(e["method"] == name for e in self.events):
            self.events.append(self.message())

    def start(self):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target,
                                 flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log", "Security"):
            self.call(domain + ".enable")


class Page:
    def __init__(self, browser, path):
        self.b, self.url, self.opened = browser, "file://" + os.path.realpath(path), False
        self.media = {"media": "", "features": []}
        self.values = []
        self.scripts = True

    def evaluate(self, expression):
        r = self.b.call("Runtime.evaluate", expression=expression, returnByValue=True,
                        awaitPromise=True)
        if "exceptionDetails" in r:
            raise RuntimeError(expression + ": " + json.dumps(r["exceptionDetails"]))
        return r["result"].get("value")

    def open(self):
        if self.opened:
            return
        self.opened = True
        self.b.call("Page.navigate", url=self.url)
        self.b.wait_event("Page.loadEventFired")
        self.settle()

    def settle(self):
        """Two frames: what was asked for is drawn."""
        if not self.scripts:  # no frame is told of then
            return
        self.evaluate("new Promise(d => requestAnimationFrame(() => requestAnimationFrame(d)))"
                      ".then(() => 1)")

    def see(self, media=None, scheme=None):
        if media:
            self.media["media"] = media
        if scheme:
            self.media["features"] = [{"name": "prefers-color-scheme", "value": scheme}]
        self.b.call("Emulation.setEmulatedMedia", **self.media)

    def size(self, text):
        width, height = (int(n) for n in text.split("x"))
        phone = width < 500
        self.b.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                    deviceScaleFactor=2 if phone else 1, mobile=phone)
        self.b.call("Emulation.setTouchEmulationEnabled", enabled=phone)

    def spot(self, selector):
        at = self.evaluate(
            "(() => { const e = document.querySelector(%s); if (!e) return null;"
            "e.scrollIntoView({block: 'center', inline: 'center'});"
            "const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()"
            % json.dumps(selector))
        if not at:
            raise RuntimeError("nothing is " + selector)
        self.settle()
        return at

    def hover(self, selector):
        x, y = self.spot(selector)
        self.b.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        self.settle()

    def tap(self, selector):
        x, y = self.spot(selector)
        self.b.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        self.b.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        self.settle()

    def key(self, name):
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38,
                 "ArrowRight": 39, "ArrowDown": 40}
        for kind in ("keyDown", "keyUp"):
            self.b.call("Input.dispatchKeyEvent", type=kind, key=name, code=name,
                        windowsVirtualKeyCode=codes[name])
        self.settle()

    def wait(self, expression):
        end = time.monotonic() + LIMIT
        while not self.evaluate("!!(%s)" % expression):
            if time.monotonic() > end:
                raise RuntimeError("never: " + expression)
            time.sleep(0.05)

    def save(self, path, data):
        with open(path, "wb") as f:
            f.write(base64.b64decode(data))

    def shot(self, path, whole):
        self.save(path, self.b.call("Page.captureScreenshot",
                                    captureBeyondViewport=whole)["data"])

    def step(self, name, value):
        if name in ("dark", "light"):
            self.see(scheme=name)
        elif name == "print":
            self.see(media="print")
        elif name == "size":
            self.size(value)
        elif name == "noscript":
            self.scripts = False
            self.b.call("Emulation.setScriptExecutionDisabled", value=True)
        else:
            self.open()
            self.act(name, value)

    def act(self, name, value):
        if name in ("hover", "tap", "key", "wait"):
            getattr(self, name)(value)
        elif name == "focus":
            self.evaluate("document.querySelector(%s).focus(), 1" % json.dumps(value))
            self.settle()
        elif name == "type":
            self.b.call("Input.insertText", text=value)
            self.settle()
        elif name == "eval":
            self.values.append(self.evaluate(value))
        elif name in ("shot", "full"):
            self.shot(value, name == "full")
        elif name == "pdf":
            self.save(value, self.b.call("Page.printToPDF", printBackground=True)["data"])
        elif name != "open":
            raise RuntimeError("what is " + name + "?")


def complaints(events):
    for e in events:
        p = e.get("params", {})
        if e["method"] == "Log.entryAdded":
            yield p["entry"]["text"]
        elif e["method"] == "Runtime.exceptionThrown":
            yield p["exceptionDetails"].get("exception", {}).get("description", "exception")
        elif e["method"] == "Runtime.consoleAPICalled":
            yield "console." + p["type"]
        elif e["method"] in ("Page.javascriptDialogOpening",):
            yield "dialog: " + p["message"]


def give_up(number, frame):
    raise RuntimeError("time is over" if number == signal.SIGALRM else "told to end")


def main(path, steps):
    signal.signal(signal.SIGALRM, give_up)
    signal.signal(signal.SIGTERM, give_up)
    signal.alarm(2 * LIMIT)
    browser = Browser()
    try:
        browser.start()
        page = Page(browser, path)
        for s in steps:
            name, _, value = s.partition("=")
            page.step(name, value)
        page.open()
        browser.call("Page.enable")  # whatever was said until now is read
    finally:
        browser.close()
    asked = [e["params"]["request"]["url"] for e in browser.events
             if e["method"] == "Network.requestWillBeSent"]
    print(json.dumps({"values": page.values, "requests": asked,
                      "log": list(complaints(browser.events))}))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
