"""Google's own Python client against the server at DRIVE_URL. Prints `ok` when all went as on Google's Drive."""

import hashlib
import importlib.resources
import io
import json
import os

from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build_from_document
from googleapiclient.errors import HttpError
from googleapiclient.http import MediaFileUpload, MediaIoBaseDownload, MediaIoBaseUpload

URL = os.environ["DRIVE_URL"]
FOLDER = "application/vnd.google-apps.folder"
MIB = 1024 * 1024


def service(token):
    documents = importlib.resources.files("googleapiclient") / "discovery_cache" / "documents"
    description = json.loads((documents / "drive.v3.json").read_text())
    description["rootUrl"] = URL + "/"
    description["baseUrl"] = URL + "/drive/v3/"
    # Without an access token the client has to refresh first.
    credentials = Credentials(
        token=None,
        refresh_token=token,
        token_uri=URL + "/token",
        client_id="client",
        client_secret="secret",
        scopes=["https://www.googleapis.com/auth/drive"],
    )
    return build_from_document(description, credentials=credentials)


def refused(request, status, reason):
    try:
        request.execute()
    except HttpError as error:
        assert error.status_code == status, error
        assert error.error_details[0]["reason"] == reason, error.error_details
    else:
        raise AssertionError(f"{request.uri} was not refused")


def download(drive, file_id, chunk):
    buffer = io.BytesIO()
    downloader = MediaIoBaseDownload(buffer, drive.files().get_media(fileId=file_id), chunksize=chunk)
    done = False
    while not done:
        _, done = downloader.next_chunk()
    return buffer.getvalue()


def follow(drive, token):
    changes = []
    while True:
        page = drive.changes().list(pageToken=token, pageSize=2, fields="*").execute()
        changes += page["changes"]
        if "nextPageToken" not in page:
            return changes, page["newStartPageToken"]
        token = page["nextPageToken"]


def upload(drive, name, parent, content, resumable, **options):
    media = MediaIoBaseUpload(io.BytesIO(content), "application/gzip", resumable=resumable, **options)
    body = {"name": name, "parents": [parent]}
    request = drive.files().create(body=body, media_body=media, fields="id,size,md5Checksum")
    if not resumable:
        return request.execute()
    answer = None
    while answer is None:
        _, answer = request.next_chunk()
    return answer


def main():
    ann, bob = service(os.environ["ANN_TOKEN"]), service(os.environ["BOB_TOKEN"])
    about = ann.about().get(fields="user,storageQuota").execute()
    assert about["user"]["emailAddress"] == "ann@x.org"
    ann_token = ann.changes().getStartPageToken().execute()["startPageToken"]
    bob_token = bob.changes().getStartPageToken().execute()["startPageToken"]

    folder = ann.files().create(body={"name": "SyftBox", "mimeType": FOLDER}, fields="id").execute()["id"]
    generated = ann.files().generateIds(count=2, space="drive").execute()["ids"]
    inbox = {"id": generated[0], "name": "inbox", "mimeType": FOLDER, "parents": [folder]}
    assert ann.files().create(body=inbox).execute()["id"] == generated[0]
    refused(ann.files().create(body=inbox), 409, "fileIdInUse")

    # Uploads: in one request, in several, empty.
    tricky = b"\r\n--=====\r\n" + bytes(range(256)) * 10 + b"\r"
    small = upload(ann, "small.tar.gz", folder, tricky, False)
    assert download(ann, small["id"], MIB) == tricky
    empty = upload(ann, "empty", folder, b"", True)
    assert download(ann, empty["id"], MIB) == b""
    block = hashlib.sha256(b"block").digest() * 32
    with open("large.bin", "wb") as file:
        for number in range(50 * 1024):
            file.write(number.to_bytes(4, "big") + block[4:])
    media = MediaFileUpload("large.bin", chunksize=8 * MIB, resumable=True)
    request = ann.files().create(body={"name": "large", "parents": [folder]}, media_body=media, fields="*")
    large, steps = None, 0
    while large is None:
        progress, large = request.next_chunk()
        steps += 1
        assert large or progress.resumable_progress == steps * 8 * MIB
    with open("large.bin", "rb") as file:
        content = file.read()
    assert steps == 7 and large["size"] == str(50 * MIB)
    assert large["md5Checksum"] == hashlib.md5(content).hexdigest()
    assert large["sha256Checksum"] == hashlib.sha256(content).hexdigest()
    assert download(ann, large["id"], 7 * MIB + 1) == content
    replaced = ann.files().update(
        fileId=large["id"], body={"name": "smaller"}, media_body=MediaIoBaseUpload(io.BytesIO(b"x"), "text/plain")
    )
    assert replaced.execute()["name"] == "smaller"
    assert download(ann, large["id"], MIB) == b"x"

    # Lists with pages.
    names = []
    request = ann.files().list(q=f"'{folder}' in parents and trashed = false", pageSize=2, orderBy="name desc")
    while request is not None:
        page = request.execute()
        names += [file["name"] for file in page["files"]]
        request = ann.files().list_next(request, page)
    assert names == ["smaller", "small.tar.gz", "inbox", "empty"], names
    long = " or ".join(f"name = 'file number {number}'" for number in range(200))
    assert ann.files().list(q=long).execute()["files"] == []
    refused(ann.files().list(q="name = "), 400, "invalid")

    # Sharing and moving.
    refused(bob.files().get(fileId=small["id"]), 404, "notFound")
    permission = {"type": "user", "role": "writer", "emailAddress": "bob@x.org"}
    ann.permissions().create(fileId=generated[0], body=permission, sendNotificationEmail=False).execute()
    shared = bob.files().list(q="sharedWithMe", fields="files(id,owners(emailAddress))").execute()["files"]
    assert shared == [{"id": generated[0], "owners": [{"emailAddress": "ann@x.org"}]}]
    message = upload(bob, "msg", generated[0], b"message", True, chunksize=256 * 1024)
    refused(ann.files().delete(fileId=message["id"]), 403, "insufficientFilePermissions")
    archive = ann.files().create(body={"name": "archive", "mimeType": FOLDER}).execute()["id"]
    moved = ann.files().update(
        fileId=message["id"], addParents=archive, removeParents=generated[0], fields="parents,ownedByMe"
    )
    assert moved.execute() == {"parents": [archive], "ownedByMe": False}

    # Batches.
    answers = {}

    def note(call, answer, error):
        answers[call] = error.status_code if error else answer

    batch = ann.new_batch_http_request(callback=note)
    for number in range(30):
        batch.add(ann.files().create(body={"name": f"b{number}", "parents": [archive]}), request_id=f"c{number}")
    batch.add(ann.files().get(fileId="nowhere"), request_id="missing")
    batch.execute()
    assert answers["missing"] == 404
    assert [answers[f"c{number}"]["name"] for number in range(30)] == [f"b{number}" for number in range(30)]
    batch = ann.new_batch_http_request(callback=note)
    for number in range(30):
        batch.add(ann.files().delete(fileId=answers[f"c{number}"]["id"]), request_id=f"d{number}")
    batch.execute()
    assert len(ann.files().list(q=f"'{archive}' in parents").execute()["files"]) == 1

    # Changes, and the end of it.
    changes, ann_token = follow(ann, ann_token)
    state = {change["fileId"]: change["removed"] for change in changes}
    assert len(changes) == len(state)
    assert state[small["id"]] is False and state[answers["c0"]["id"]] is True
    changes, _ = follow(bob, bob_token)
    assert {change["fileId"] for change in changes} == {generated[0], message["id"]}
    ann.files().delete(fileId=folder).execute()
    changes, _ = follow(ann, ann_token)
    assert changes and all(change["removed"] for change in changes)
    refused(ann.files().get(fileId=small["id"]), 404, "notFound")
    print("ok")


main()
