#!/usr/bin/env python3
"""The exercise's own end-to-end run, as its step 20 asks for it: it talks to a started service by the requests package.

The address of the service is the only argument.
"""
import sys

import requests

URL = sys.argv[1]
EMAIL = "guillaume@holberton.io"
PASSWD = "b4l0u"
NEW_PASSWD = "t4rt1fl3tt3"


def register_user(email: str, password: str) -> None:
    """Registers, and is told that the address is taken the second time."""
    fields = {"email": email, "password": password}
    response = requests.post(f"{URL}/users", data=fields)
    assert response.status_code == 200
    assert response.json() == {"email": email, "message": "user created"}
    response = requests.post(f"{URL}/users", data=fields)
    assert response.status_code == 400
    assert response.json() == {"message": "email already registered"}


def log_in_wrong_password(email: str, password: str) -> None:
    """Is not let in by a wrong password."""
    response = requests.post(f"{URL}/sessions", data={"email": email, "password": password})
    assert response.status_code == 401
    assert response.cookies.get("session_id") is None


def profile_unlogged() -> None:
    """Has no profile without a session."""
    response = requests.get(f"{URL}/profile")
    assert response.status_code == 403


def log_in(email: str, password: str) -> str:
    """Logs in and gives the session id out of the cookie."""
    response = requests.post(f"{URL}/sessions", data={"email": email, "password": password})
    assert response.status_code == 200
    assert response.json() == {"email": email, "message": "logged in"}
    return response.cookies.get("session_id")


def profile_logged(session_id: str) -> None:
    """Gets the profile by the session."""
    response = requests.get(f"{URL}/profile", cookies={"session_id": session_id})
    assert response.status_code == 200
    assert response.json() == {"email": EMAIL}


def log_out(session_id: str) -> None:
    """Logs out; requests follows the redirect by GET, to the home page."""
    response = requests.delete(f"{URL}/sessions", cookies={"session_id": session_id})
    assert [answer.status_code for answer in response.history] == [302]
    assert response.status_code == 200
    assert response.json() == {"message": "Bienvenue"}
    response = requests.get(f"{URL}/profile", cookies={"session_id": session_id})
    assert response.status_code == 403


def reset_password_token(email: str) -> str:
    """Asks for a reset token."""
    response = requests.post(f"{URL}/reset_password", data={"email": email})
    assert response.status_code == 200
    assert response.json()["email"] == email
    return response.json()["reset_token"]


def update_password(email: str, reset_token: str, new_password: str) -> None:
    """Sets a new password by the token, which is good once."""
    fields = {"email": email, "reset_token": reset_token, "new_password": new_password}
    response = requests.put(f"{URL}/reset_password", data=fields)
    assert response.status_code == 200
    assert response.json() == {"email": email, "message": "Password updated"}
    assert requests.put(f"{URL}/reset_password", data=fields).status_code == 403


if __name__ == "__main__":
    register_user(EMAIL, PASSWD)
    log_in_wrong_password(EMAIL, NEW_PASSWD)
    profile_unlogged()
    session_id = log_in(EMAIL, PASSWD)
    profile_logged(session_id)
    log_out(session_id)
    reset_token = reset_password_token(EMAIL)
    update_password(EMAIL, reset_token, NEW_PASSWD)
    log_in(EMAIL, NEW_PASSWD)
    log_in_wrong_password(EMAIL, PASSWD)
    print("all steps passed")
