"""A headless Chromium, told what to do through its DevTools pipe."""

import json
import os
import shutil
import subprocess
from contextlib import contextmanager

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
         "--remote-debugging-pipe",
         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]  # fmt: skip


class Tab:
    """One page: `run` evaluates JavaScript in it, promises awaited."""

    def __init__(self, to, answers):
        self.to, self.answers, self.number, self.session, self.seen = to, answers, 0, None, []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        found = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self.session = found["sessionId"]
        for domain in ("Runtime", "Log", "Network", "Page"):
            self.send(f"{domain}.enable")

    def send(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        message |= {"sessionId": self.session} if self.session else {}
        self.to.write(json.dumps(message).encode() + b"\0")
        self.to.flush()
        while (answer := self.answer()).get("id") != self.number:
            self.seen.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def answer(self):
        found = bytearray()
        while (byte := self.answers.read(1)) != b"\0":
            assert byte, "the browser is gone"
            found += byte
        return json.loads(found)

    def run(self, code):
        found = self.send(
            "Runtime.evaluate", expression=code, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def until(self, condition):
        """Wait for something to become true, and fail after half a minute."""
        came = self.run(f"""new Promise((done) => {{
            const end = performance.now() + 30000;
            const id = setInterval(() => {{
                const came = Boolean({condition});
                if (came || performance.now() > end) {{ clearInterval(id); done(came); }}
            }}, 20);
        }})""")
        assert came, (condition, self.run("document.body.innerText"), self.faults())

    def asked(self):
        """The addresses that were asked for."""
        return {told["request"]["url"] for told in self.events("Network.requestWillBeSent")}

    def faults(self):
        """Exceptions, and errors that the browser reports."""
        logged = self.events("Log.entryAdded")
        errors = [told for told in logged if told["entry"]["level"] == "error"]
        return self.events("Runtime.exceptionThrown") + errors

    def events(self, kind):
        return [event["params"] for event in self.seen if event.get("method") == kind]


@contextmanager
def opened(address, folder):
    """A tab that shows a page; it can reach nothing but this machine."""
    its_in, ours_out = os.pipe()
    ours_in, its_out = os.pipe()
    wire = f'exec "$@" 3<&{its_in} 4>&{its_out}'  # the numbers that Chromium takes for its pipe
    command = ["bash", "-c", wire, "-", CHROMIUM, *FLAGS, f"--user-data-dir={folder}"]
    with (
        subprocess.Popen(command, pass_fds=(its_in, its_out), stderr=subprocess.DEVNULL) as process,
        os.fdopen(ours_out, "wb") as to,
        os.fdopen(ours_in, "rb") as answers,
    ):
        os.close(its_in)
        os.close(its_out)
        try:
            tab = Tab(to, answers)
            tab.send("Page.navigate", url=address)
            yield tab
        finally:
            process.kill()
