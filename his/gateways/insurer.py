"""Client of the insurer's portal (CV 1923/BHXH-CNTT 2024; insurance standard, portal-api.md). Plain data in and out.

MD5 of the password is the portal's rule, not ours. Passwords, hashes and tokens are never logged.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx

from his.core import clock
from his.gateways.base import Answer, Outcome, Unauthorised, Unavailable, body_of, client, post

TOKEN_CAP = timedelta(minutes=9)
VALID = ("000", "001", "002", "003", "004")
RETRYABLE = ("500",)
AUTH = ("401", "402", "403")


@dataclass(frozen=True, slots=True)
class CardQuestion:
    """What a card check asks. ``number``: 10, 12 or 15 characters; ``birth``: dd/mm/yyyy or yyyy."""

    number: str
    full_name: str
    birth: str
    staff_name: str
    staff_number: str


@dataclass(frozen=True, slots=True)
class CardAnswer:
    """The portal's whole answer, with the card that counts (the new one for code 003)."""

    code: str
    message: str
    is_valid: bool
    card_number: str = ""
    facility_code: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    living_area: str = ""
    five_years_on: date | None = None
    was_replaced: bool = False
    raw: dict[str, Any] | None = None


def _date(text: Any) -> date | None:
    try:
        return datetime.strptime(str(text), "%d/%m/%Y").replace(tzinfo=UTC).date()
    except ValueError:
        return None


class InsurerPortal:
    """One account at one address; the token is shared by all threads and renewed by one at a time."""

    def __init__(self, base_url: str, username: str, password: str, *, connect: float = 5, total: float = 30) -> None:
        self.username = username
        self._hash = hashlib.md5(password.encode(), usedforsecurity=False).hexdigest().upper()
        self._http = client(base_url, connect=connect, total=total)
        self._lock = threading.Lock()
        self._token: tuple[str, str] | None = None
        self._until = datetime.min.replace(tzinfo=UTC)

    def _tokens(self, *, renew: bool = False) -> tuple[str, str]:
        with self._lock:
            if self._token is not None and not renew and clock.now() < self._until:
                return self._token
            response = post(self._http, "/api/token/take", json={"username": self.username, "password": self._hash})
            if isinstance(response, Answer):
                raise Unavailable(response.message)
            body = body_of(response)
            code = str(body.get("maKetQua", response.status_code))
            if code in AUTH:
                raise Unauthorised(f"Cổng BHYT từ chối tài khoản (mã {code}).")
            key = body.get("APIKey")
            if code != "200" or not isinstance(key, dict):
                raise Unavailable(f"token {code}")
            self._token = (str(key.get("access_token", "")), str(key.get("id_token", "")))
            self._until = clock.now() + TOKEN_CAP
            expires = self._expiry(str(key.get("expires_in", "")))
            if expires is not None:
                self._until = min(self._until, expires - timedelta(minutes=1))
            return self._token

    @staticmethod
    def _expiry(text: str) -> datetime | None:
        """Read ``2026-11-23T03:51:20.1047187Z``: a UTC time with seven decimals."""
        head = text.rstrip("Z").split(".")[0]
        try:
            return datetime.strptime(head, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
        except ValueError:
            return None

    def sign_in(self) -> None:
        """Ask for a fresh token (a self-test). Raises `Unavailable`, `Unauthorised`."""
        self._tokens(renew=True)

    def check_card(self, question: CardQuestion) -> CardAnswer:
        """Ask about a card. Raises `Unavailable` (also on a time-out: no automatic retry), `Unauthorised`."""
        payload = {
            "maThe": question.number, "hoTen": question.full_name, "ngaySinh": question.birth,
            "hoTenCb": question.staff_name, "cccdCb": question.staff_number,
        }  # fmt: skip
        for attempt in (1, 2):
            access, identity = self._tokens(renew=attempt == 2)
            params = {"token": access, "id_token": identity, "username": self.username, "password": self._hash}
            response = post(self._http, "/api/egw/KQNhanLichSuKCB2024", params=params, json=payload)
            if isinstance(response, Answer):
                raise Unavailable(response.message)
            body = body_of(response)
            code = str(body.get("maKetQua", "")) or str(response.status_code)
            if (response.status_code == 401 or code == "401") and attempt == 1:
                continue
            if response.status_code >= 500 or not body:
                raise Unavailable(f"HTTP {response.status_code}")
            return self._card(code, body)
        raise Unauthorised("Cổng BHYT từ chối phiên đăng nhập.")

    @staticmethod
    def _card(code: str, body: dict[str, Any]) -> CardAnswer:
        new = code == "003" and bool(body.get("maTheMoi"))
        return CardAnswer(
            code=code.zfill(3) if code.isdigit() else code,
            message=str(body.get("ghiChu") or ""),
            is_valid=code.zfill(3) in VALID,
            card_number=str(body.get("maTheMoi") if new else body.get("maThe") or ""),
            facility_code=str(body.get("maDKBDMoi") if new else body.get("maDKBD") or ""),
            valid_from=_date(body.get("gtTheTuMoi") if new else body.get("gtTheTu")),
            valid_to=_date(body.get("gtTheDenMoi") if new else body.get("gtTheDen")),
            living_area=str(body.get("maKV") or ""),
            five_years_on=_date(body.get("ngayDu5Nam")),
            was_replaced=new,
            raw=body,
        )

    def copaid_this_year(self, number: str, full_name: str, birth: str) -> Any:
        """Return the portal's answer on the co-payment of the year (CV 1839/CNTT-PM 2026)."""
        access, identity = self._tokens()
        headers = {"accessToken": access, "tokenId": identity, "passwordHash": self._hash}
        payload = {"username": self.username, "maThe": number, "hoTen": full_name, "ngaySinh": birth}
        response = post(self._http, "/api/TraCuuCCT/TraCuuTienMCCT", headers=headers, json=payload)
        if isinstance(response, Answer):
            raise Unavailable(response.message)
        return body_of(response)

    def send_claim(self, facility: str, file: bytes, *, kind: str = "130") -> Answer:
        """Send a claim file (one visit). The answer says only that it was received."""
        return self._send("/api/qd130/guiHoSoXmlQD3176", facility, file, kind)

    def send_checkin(self, facility: str, file: bytes) -> Answer:
        """Send a check-in file (XML0)."""
        return self._send("/api/qd130/checkInKcbQd3176", facility, file, "0")

    def _send(self, path: str, facility: str, file: bytes, kind: str) -> Answer:
        form = {
            "username": self.username, "loaiHoSo": kind, "maTinh": facility[:2], "maCSKCB": facility,
            "fileHSBase64": base64.b64encode(file).decode(),
        }  # fmt: skip
        for attempt in (1, 2):
            try:
                access, identity = self._tokens(renew=attempt == 2)
            except Unavailable as error:
                return Answer(Outcome.UNAVAILABLE, message=error.message)
            except Unauthorised as error:
                return Answer(Outcome.REFUSED, "402", error.message)
            headers = {"accessToken": access, "tokenId": identity, "passwordHash": self._hash}
            response = post(self._http, path, headers=headers, data=form)
            if isinstance(response, Answer):
                return response
            body = body_of(response)
            code = str(body.get("maKetQua", "")) or str(response.status_code)
            if (response.status_code == 401 or code == "401") and attempt == 1:
                continue
            return self._judge(response, code, body)
        return Answer(Outcome.REFUSED, "401", "Cổng BHYT từ chối phiên đăng nhập.")

    @staticmethod
    def _judge(response: httpx.Response, code: str, body: dict[str, Any]) -> Answer:
        message = str(body.get("thongDiep") or "")
        if response.status_code >= 500 or code in RETRYABLE:
            return Answer(Outcome.UNAVAILABLE, code, message, body)
        if not body:
            # An HTML page with status 200 tells nothing about what happened to the file.
            return Answer(Outcome.UNKNOWN, str(response.status_code), "trả lời không đọc được")
        return Answer(Outcome.ACCEPTED if code == "200" else Outcome.REFUSED, code, message, body)


def read_answer(body: dict[str, Any]) -> CardAnswer:
    """Return the card of a stored answer (what `CardAnswer.raw` kept)."""
    return InsurerPortal._card(str(body.get("maKetQua", "")), body)  # noqa: SLF001 - one reader for live and kept answers
