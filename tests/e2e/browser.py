# SPDX-License-Identifier: Apache-2.0
"""A browser without a window: Chromium, controlled over a pipe (its DevTools protocol).

    with browser.Browser() as chromium:
        chromium.look("file:///tmp/report.html", width=360, dark=True)
        chromium.value("document.title")
        chromium.complaints, chromium.requests
"""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
TIMEOUT = 60

# Texts whose contrast with their background is too low for WCAG 2. A text of a chart is on the page, never on a bar.
CONTRAST = """
(() => {
  const parse = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
  const part = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const contrast = (a, b) => {
    const [high, low] = [light(a), light(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const poor = [];
  let texts = 0, bars = 0;
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || e.closest("title,desc,style")) continue;
    const style = getComputedStyle(e);
    const has = contrast(parse(e.closest("svg") ? style.fill : style.color), behind(e));
    texts++;
    if (has < 4.5) poor.push([has.toFixed(2), walk.currentNode.data.trim().slice(0, 40)]);
  }
  for (const e of document.querySelectorAll("rect:not(.track):not(.axis)")) {
    const has = contrast(parse(getComputedStyle(e).fill), behind(e));
    bars++;
    if (has < 3) poor.push([has.toFixed(2), e.getAttribute("class")]);
  }
  return {texts, bars, poor};
})()
"""
# The width of the page, and what extends beyond the window.
WIDTH = """
({page: document.documentElement.scrollWidth, window: innerWidth,
  out: [...document.querySelectorAll("body *")].filter((e) => {
    const box = e.getBoundingClientRect();
    return box.width > 1 && (box.right > innerWidth + 1 || box.left < -1);
  }).map((e) => e.tagName + " " + e.textContent.slice(0, 40))})
"""


class Browser:
    """Chromium with a profile of its own and one page."""

    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="cloudinvite-browser.")
        self.process = self.session = None
        self.commands = self.answers = -1
        self.number = 0
        self.pending = b""
        self.requests = []
        self.complaints = []
        self.loaded = False

    def __enter__(self):
        its_commands, self.commands = os.pipe()
        self.answers, its_answers = os.pipe()
        # It needs its two ends as descriptors 3 and 4: a shell puts them there.
        command = [PROGRAM, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                   "--disable-dev-shm-usage", "--disable-background-networking", "--no-first-run",
                   "--disable-component-update", "--remote-debugging-pipe",
                   "--user-data-dir=" + self.profile, "about:blank"]
        script = f'exec "$@" 3<&{its_commands} 4>&{its_answers}'
        try:
            self.process = subprocess.Popen(
                ["/bin/bash", "-c", script, "bash", *command], stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                pass_fds=(its_commands, its_answers), start_new_session=True)
            os.close(its_commands)
            os.close(its_answers)
            self.attach()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        os.close(self.commands)  # it ends with its pipe
        if self.process:
            try:
                self.process.wait(TIMEOUT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        os.close(self.answers)
        shutil.rmtree(self.profile, ignore_errors=True)

    def attach(self):
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=page,
                                 flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            self.call(domain + ".enable")

    def message(self):
        """The next message from it."""
        until = time.monotonic() + TIMEOUT
        while b"\0" not in self.pending:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.answers], [], [], left)[0]:
                raise AssertionError(f"the browser says nothing for {TIMEOUT} s")
            taken = os.read(self.answers, 1 << 20)
            if not taken:
                raise AssertionError("the browser has ended")
            self.pending += taken
        first, self.pending = self.pending.split(b"\0", 1)
        return json.loads(first)

    def note(self, message):
        """Handles an event that was not requested."""
        method, what = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(what["request"]["url"])
        elif method == "Log.entryAdded":
            self.complaints.append(what["entry"]["text"])
        elif method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
            self.complaints.append(json.dumps(what)[:400])
        elif method == "Page.loadEventFired":
            self.loaded = True

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.message()
            if answer.get("id") == self.number:
                break
            self.note(answer)
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        return answer["result"]

    def look(self, url, width=1280, height=900, dark=False, media=""):
        """Opens a page in a window of that size; requests and complaints are counted from zero."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", media=media, features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.requests, self.complaints, self.loaded = [], [], False
        self.call("Page.navigate", url=url)
        while not self.loaded:
            self.note(self.message())

    def value(self, expression):
        """The value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def names(self):
        """(role, name, description) of everything that a screen reader reads."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [tuple(node.get(key, {}).get("value", "") for key in ("role", "name", "description"))
                for node in nodes if not node.get("ignored")]

    def picture(self, path):
        """The whole page as a PNG."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        with open(path, "wb") as file:
            file.write(base64.b64decode(shot["data"]))
