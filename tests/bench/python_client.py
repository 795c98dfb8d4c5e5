#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The client of Google's setup guide: check, get and send for each of N addresses.

    python_client.py DISCOVERY ENDPOINT CA_FILE CREDENTIALS SUBJECT CUSTOMER N

Prints calls a second. It is the reference for the dispatcher's row in docs/benchmarks.md.
"""
import json
import sys
import time

import google_auth_httplib2
import httplib2
from google.oauth2 import service_account
from googleapiclient.discovery import build_from_document

SCOPE = "https://www.googleapis.com/auth/cloud-identity.userinvitations"


def main():
    document, endpoint, ca_file, key, subject, customer, count = sys.argv[1:]
    credentials = service_account.Credentials.from_service_account_file(
        key, scopes=[SCOPE]).with_subject(subject)
    http = google_auth_httplib2.AuthorizedHttp(credentials, http=httplib2.Http(ca_certs=ca_file))
    with open(document, encoding="utf-8") as file:
        description = json.load(file)
    # Without client_options: Debian 12's client is older than they are.
    description["rootUrl"] = description["baseUrl"] = endpoint + "/"
    service = build_from_document(description, http=http)
    invitations = service.customers().userinvitations()
    name = f"customers/{customer}/userinvitations/person%d@example.com"
    invitations.isInvitableUser(name=name % 0).execute()  # mints the token and connects
    started = time.perf_counter()
    for number in range(int(count)):
        invitations.isInvitableUser(name=name % number).execute()
        invitations.get(name=name % number).execute()
        invitations.send(name=name % number, body={}).execute()
    print(f"{3 * int(count) / (time.perf_counter() - started):.1f}")


if __name__ == "__main__":
    main()
