"""Debian's logrotate, as the CRM application configures it, and with copytruncate."""

import getpass
import grp
import os
import subprocess

from sluice_e2e import run

# The application's own /etc/logrotate.d file. `postrotate` reloads it: here a mark that the test heeds.
APPLICATION = """{logs}/*.log {{
    daily
    missingok
    rotate 52
    compress
    delaycompress
    notifempty
    create 644 {user} {group}
    postrotate
        touch {logs}/reload
    endscript
}}
"""

COPYTRUNCATE = """{logs}/*.log {{
    size 1k
    rotate 9
    copytruncate
    compress
    delaycompress
}}
"""


def rotate(sc, logrotate, text):
    path, state = sc.path("logrotate.conf"), sc.path("logrotate.state")
    with open(path, "w", encoding="ascii") as out:
        out.write(text.format(logs=sc.path("logs"), user=getpass.getuser(), group=grp.getgrgid(os.getgid()).gr_name))
    os.chmod(path, 0o644)
    done = subprocess.run([logrotate, "--force", "--state", state, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"logrotate failed: {done.stderr}"


def as_the_application_configures_it(sc):
    logrotate = sc.need("logrotate", "logrotate")
    log, index = sc.log("combined.log"), sc.index()
    agent = sc.agent(sc.main_job(index, sc.path("logs", "*.log*"), tail={"exclude": ["*.gz"]}))
    with log.background(rate=3000):
        for _ in range(4):
            sc.arrived(index, index.count() + 1000)
            rotate(sc, logrotate, APPLICATION)  # writes go on into the renamed file until the reload
            sc.wait(lambda: os.path.exists(sc.path("logs", "reload")), "logrotate ran postrotate")
            os.unlink(sc.path("logs", "reload"))
            log.reopen()
    packed = [name for name in os.listdir(sc.path("logs")) if name.endswith(".gz")]
    assert len(packed) == 3, f"delaycompress should have packed 3 files: {packed}"
    sc.delivered_exactly(agent, index, log)


def with_copytruncate(sc):
    """copytruncate itself loses what is written between copy and truncation, so nothing is written then."""
    logrotate = sc.need("logrotate", "logrotate")
    log, index = sc.log("combined.log"), sc.index()
    agent = sc.agent(sc.main_job(index, sc.path("logs", "*.log*"), tail={"exclude": ["*.gz"]}))
    for _ in range(4):
        log.write(2000)
        sc.arrived(index, log.count)
        rotate(sc, logrotate, COPYTRUNCATE)
    log.write(500)
    sc.delivered_exactly(agent, index, log)


def while_stopped(sc):
    logrotate = sc.need("logrotate", "logrotate")
    log, index = sc.log("combined.log"), sc.index()
    agent = sc.agent(sc.main_job(index, sc.path("logs", "*.log*"), tail={"exclude": ["*.gz"]}))
    log.write(2000)
    sc.arrived(index, log.count)
    agent.stop()
    log.write(1000)
    rotate(sc, logrotate, APPLICATION)
    log.reopen()
    log.write(1000)
    agent.start()
    sc.delivered_exactly(agent, index, log)


run(as_the_application_configures_it, with_copytruncate, while_stopped)
