"""Throw-away certificates for tests, made by the openssl command.

make_certificates(folder) writes, in PEM:
  ca.pem                     the authority to trust
  server.pem  server.key     for localhost and 127.0.0.1
  client.pem  client.key     for a client, CN sluice-test
  locked.key                 client.key, encrypted with PASSWORD
  expired.pem expired.key    like server, but it ended yesterday
  wronghost.pem ....key      signed by ca, for another name
  stranger.pem ....key       for localhost, signed by an authority that nobody trusts
  server.pin                 the server key's pin, "sha256//BASE64" of its SubjectPublicKeyInfo
"""

import base64
import hashlib
import os
import ssl
import subprocess

DAYS = 30
PASSWORD = "open-sesame"
NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"


def openssl(folder, *args):
    done = subprocess.run(["openssl", *args], cwd=folder, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"openssl {args[0]} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def make_key(folder, name):
    openssl(folder, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")
    os.chmod(os.path.join(folder, f"{name}.key"), 0o600)


def make_ca(folder, name):
    make_key(folder, name)
    openssl(folder, "req", "-x509", "-new", "-key", f"{name}.key", "-days", str(DAYS), "-subj", f"/CN=sluice test {name}",
            "-out", f"{name}.pem")  # fmt: skip


def make_leaf(folder, name, ca, subject, extension, days=DAYS):
    make_key(folder, name)
    openssl(folder, "req", "-new", "-key", f"{name}.key", "-subj", f"/CN={subject}", "-addext", extension, "-out", f"{name}.csr")
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-CAcreateserial",
            "-days", str(days), "-copy_extensions", "copy", "-out", f"{name}.pem")  # fmt: skip


def make_certificates(folder):
    os.makedirs(folder, exist_ok=True)
    make_ca(folder, "ca")
    make_ca(folder, "stranger-ca")
    make_leaf(folder, "server", "ca", "localhost", NAMES)
    make_leaf(folder, "client", "ca", "sluice-test", "extendedKeyUsage=clientAuth")
    openssl(folder, "pkcs8", "-topk8", "-in", "client.key", "-out", "locked.key", "-v2", "aes256", "-passout", f"pass:{PASSWORD}")
    make_leaf(folder, "expired", "ca", "localhost", NAMES, days=-1)
    make_leaf(folder, "wronghost", "ca", "elsewhere.example", "subjectAltName=DNS:elsewhere.example")
    make_leaf(folder, "stranger", "stranger-ca", "localhost", NAMES)
    spki = openssl(folder, "pkey", "-in", "server.key", "-pubout", "-outform", "DER")
    with open(os.path.join(folder, "server.pin"), "w", encoding="ascii") as out:
        out.write("sha256//" + base64.b64encode(hashlib.sha256(spki).digest()).decode() + "\n")


def server_context(folder, certificate="server", require_client=False):
    """The receiver's side of TLS.  `certificate`: one of server, expired, wronghost, stranger."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(folder, f"{certificate}.pem"), os.path.join(folder, f"{certificate}.key"))
    if require_client:
        context.load_verify_locations(os.path.join(folder, "ca.pem"))
        context.verify_mode = ssl.CERT_REQUIRED
    return context
