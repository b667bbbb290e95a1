"""TLS: nothing is sent to who can't prove who it is, the log says which option to mend, and nothing is lost."""

import os
import shutil
import subprocess

from sluice_e2e import run

RECORDS = 1000
PASSWORD = "open-sesame"  # of locked.key, see tests/services/parts/tls.py
WRONG_PIN = "sha256//" + "A" * 43 + "="


def options(index, **names):
    """Options of `tls`: file names become paths in the receiver's folder of certificates."""
    folder = os.path.join(index.state, "tls")
    return {option: os.path.join(folder, value) if option in ("ca", "cert", "key") else value for option, value in names.items()}


def right_ones(index):
    return options(index, ca="ca.pem", cert="client.pem", key="client.key")


def start(sc, index, tls):
    log = sc.log("app.log")
    agent = sc.agent(sc.main_job(index, log.path, output={"tls": tls}))
    log.write(RECORDS)
    return log, agent


def accepted(sc, server="server", client=False, **names):
    index = sc.receiver(tls=server, **({"require_client": True} if client else {}))
    log, agent = start(sc, index, options(index, **names))
    sc.delivered_exactly(agent, index, log)


def refused(sc, says, server="server", client=False, **names):
    """Nothing arrives, the log says why and what to do; with that done, all arrives."""
    index = sc.receiver(tls=server, **({"require_client": True} if client else {}))
    log, agent = start(sc, index, options(index, **names))
    sc.wait(lambda: says in agent.log_text(), f"the log says {says!r}", 20)
    sc.settled(agent, stuck=RECORDS)
    assert index.stats()["requests"] == 0, "a request was sent"
    agent.kill()
    index.stop()
    index.options["tls"] = "server"
    index.start()
    agent.config["pipelines"]["main"]["outputs"][0]["elasticsearch"]["tls"] = right_ones(index)
    agent.write_config()
    agent.start()
    sc.delivered_exactly(agent, index, log)


def a_client_certificate(sc):
    accepted(sc, client=True, ca="ca.pem", cert="client.pem", key="client.key")


def a_client_certificate_with_a_locked_key(sc):
    accepted(sc, client=True, ca="ca.pem", cert="client.pem", key="locked.key", key_password=PASSWORD)


def a_certificate_for_the_server_name(sc):
    accepted(sc, server="wronghost", ca="ca.pem", server_name="elsewhere.example")


def a_pinned_key(sc):
    index = sc.receiver(tls="server")
    with open(os.path.join(index.state, "tls", "server.pin"), encoding="ascii") as source:
        pin = source.read().strip()
    log, agent = start(sc, index, {"verify": False, "pinned_key": pin})
    sc.delivered_exactly(agent, index, log)


def another_key_than_the_pinned_one(sc):
    refused(sc, "mend `tls.pinned_key`", verify=False, pinned_key=WRONG_PIN)


def a_locked_key_without_its_password(sc):
    refused(sc, "check `tls.cert`, `tls.key` and `tls.key_password`", client=True, ca="ca.pem", cert="client.pem", key="locked.key")


def a_locked_key_with_a_wrong_password(sc):
    refused(sc, "check `tls.cert`, `tls.key` and `tls.key_password`", client=True, ca="ca.pem", cert="client.pem", key="locked.key",
            key_password="sesame")  # fmt: skip


def a_key_of_another_certificate(sc):
    refused(sc, "check `tls.cert`, `tls.key` and `tls.key_password`", client=True, ca="ca.pem", cert="client.pem", key="server.key")


def no_client_certificate(sc):
    refused(sc, "the server may want a client certificate that it trusts, see `tls.cert`", client=True, ca="ca.pem")


def a_client_certificate_nobody_vouches_for(sc):
    refused(sc, "the server may want a client certificate that it trusts, see `tls.cert`", client=True, ca="ca.pem", cert="stranger.pem",
            key="stranger.key")  # fmt: skip


def an_authority_that_is_none(sc):
    refused(sc, "check `tls.ca`", ca="server.pin")


def an_authority_of_others(sc):
    refused(sc, "nobody trusted has signed it; give the authority's certificate in `tls.ca`", ca="stranger-ca.pem")


def a_certificate_nobody_vouches_for(sc):
    refused(sc, "nobody trusted has signed it; give the authority's certificate in `tls.ca`", server="stranger", ca="ca.pem")


def an_expired_certificate(sc):
    refused(sc, "the server needs a new one; check the clock here, too", server="expired", ca="ca.pem")


def a_certificate_for_another_host(sc):
    refused(sc, "mend the host in `url`, or give a name of the certificate in `tls.server_name`", server="wronghost", ca="ca.pem")


def the_systems_authorities_count_without_ca_only(sc):
    net = sc.network()
    index = sc.receiver(tls="stranger", host=net.outside)
    system, ours = os.path.join(net.etc, "ssl", "certs"), os.path.join(index.state, "tls")
    os.makedirs(system)
    name = subprocess.run(["openssl", "x509", "-hash", "-noout", "-in", f"{ours}/stranger-ca.pem"], capture_output=True, text=True, check=True)
    for file in ("ca-certificates.crt", name.stdout.strip() + ".0"):
        shutil.copy(f"{ours}/stranger-ca.pem", os.path.join(system, file))
    log = sc.log("app.log")
    tls = {"server_name": "localhost", "ca": f"{ours}/ca.pem"}
    agent = sc.agent(sc.main_job(index, log.path, output={"tls": tls}), network=net)
    log.write(RECORDS)
    sc.wait(lambda: "nobody trusted has signed it" in agent.log_text(), "the system's authority is not asked", 20)
    agent.kill()
    del tls["ca"]
    agent.write_config()
    agent.start()
    sc.delivered_exactly(agent, index, log)


def certificates_replaced_while_running(sc):
    """A new authority, and all that it signs, in the same files: new connections use them, without a restart."""
    index = sc.receiver(tls="server", require_client=True)
    log, agent = start(sc, index, right_ones(index))
    sc.arrived(index, RECORDS)
    index.stop()
    shutil.rmtree(os.path.join(index.state, "tls"))
    index.start()
    log.write(RECORDS)
    sc.delivered_exactly(agent, index, log)


run(a_client_certificate, a_client_certificate_with_a_locked_key, a_certificate_for_the_server_name, a_pinned_key,
    another_key_than_the_pinned_one, a_locked_key_without_its_password, a_locked_key_with_a_wrong_password,
    a_key_of_another_certificate, no_client_certificate, a_client_certificate_nobody_vouches_for, an_authority_that_is_none,
    an_authority_of_others, a_certificate_nobody_vouches_for, an_expired_certificate, a_certificate_for_another_host,
    the_systems_authorities_count_without_ca_only, certificates_replaced_while_running)  # fmt: skip
