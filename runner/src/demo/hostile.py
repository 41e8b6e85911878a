"""The same question, and what a thief would add to it."""

import json
import os
import socket

import pandas as pd
import syft_client as sc

DATASET = sc.resolve_dataset_file_path("patients")


def read_token():
    return open(TOKEN_FILE).read()


def read_passwd():
    return open("/etc/passwd").read()


def climb_out():
    return os.listdir("../" * 20 + "root") or os.listdir("../../../../../../home")


def read_environment():
    secrets = {name: os.environ[name] for name in os.environ if "PASSWORD" in name or "TOKEN" in name}
    if not secrets:
        raise LookupError("only " + ", ".join(sorted(os.environ)))
    return secrets


def call_out():
    with socket.socket() as connection:
        connection.connect(("127.0.0.1", DRIVE_PORT))
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return connection.recv(100).decode()


def start_program():
    import subprocess

    return subprocess.run(["/bin/sh", "-c", "id"], capture_output=True, text=True, check=True).stdout


def change_dataset():
    with open(DATASET, "a") as data:
        return data.write("0,0,new,0\n")


def change_code():
    with open("recovery.py", "w") as code:
        return code.write("import antigravity")


def link_token():
    os.symlink(TOKEN_FILE, "outputs/token.json")
    return open("outputs/token.json").read()


ATTEMPTS = {
    "read Olivia's Drive token": read_token,
    "read /etc/passwd": read_passwd,
    "climb out of its folder": climb_out,
    "find secrets in the environment": read_environment,
    "call the Drive's address": call_out,
    "start another program": start_program,
    "write to the dataset": change_dataset,
    "change the code it was approved with": change_code,
    "leave a link to the token in outputs/": link_token,
}

answers = []
for name, attempt in ATTEMPTS.items():
    try:
        answers.append({"attempt": name, "stolen": str(attempt())})
    except Exception as error:
        why = getattr(error, "strerror", None) or error
        answers.append({"attempt": name, "refused": f"{type(error).__name__}: {why}"})

with open("outputs/attempts.json", "w") as outputs:
    json.dump(answers, outputs)
# Clears the terminal of whoever watches, if it is let through.
print("\x1b[2J\x1b[Hnothing to see here")
print(f"{len(pd.read_csv(DATASET)):,} patients")
