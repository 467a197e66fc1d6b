"""Client of the national prescription system (TT 26/2025 Đ12; QĐ 425, QĐ 808). Plain data in and out."""

from __future__ import annotations

from typing import Any

from his.gateways.base import Answer, Outcome, body_of, client, post

USED = "đã được sử dụng"


class NationalPrescriptions:
    """One facility's access."""

    def __init__(self, base_url: str, facility: str, password: str, *, connect: float = 5, total: float = 30) -> None:
        self._http = client(base_url, connect=connect, total=total)
        self._facility, self._password = facility, password
        self._tokens: dict[str, str] = {}

    def _doctor_token(self, doctor: str, *, renew: bool) -> str | Answer:
        if doctor in self._tokens and not renew:
            return self._tokens[doctor]
        response = post(
            self._http, "/api/auth/dang-nhap-bac-si",
            json={"ma_lien_thong_bac_si": doctor, "ma_lien_thong_co_so_kham_chua_benh": self._facility, "password": self._password},
        )  # fmt: skip
        if isinstance(response, Answer):
            return Answer(Outcome.UNAVAILABLE, message=response.message)
        token = body_of(response).get("token")
        if response.status_code >= 500:
            return Answer(Outcome.UNAVAILABLE, str(response.status_code))
        if not token:
            return Answer(Outcome.REFUSED, str(response.status_code), "Tài khoản bác sĩ chưa liên thông.")
        self._tokens[doctor] = str(token)
        return str(token)

    def send(self, doctor: str, prescription: dict[str, Any]) -> Answer:
        """Send one signed prescription under the doctor's account; a code used before counts as sent."""
        for attempt in (1, 2):
            token = self._doctor_token(doctor, renew=attempt == 2)
            if isinstance(token, Answer):
                return token
            response = post(
                self._http, "/api/v1/gui-don-thuoc", json=prescription, headers={"Authorization": f"Bearer {token}"}
            )
            if isinstance(response, Answer):
                return response
            if response.status_code == 401 and attempt == 1:
                continue
            return self._judge(response.status_code, body_of(response), response.text)
        return Answer(Outcome.REFUSED, "401")

    @staticmethod
    def _judge(status: int, body: dict[str, Any], text: str) -> Answer:
        said = str(body.get("success") or body.get("message") or body.get("error") or text)[:500]
        if status == 200 and ("success" in body or "thành công" in text):
            return Answer(Outcome.ACCEPTED, "200", said, body)
        if status == 422 and USED in said.lower():
            return Answer(Outcome.ACCEPTED, "422", said, body)
        if status in (408, 429) or status >= 500:
            return Answer(Outcome.UNAVAILABLE, str(status), said)
        return Answer(Outcome.REFUSED, str(status), said, body)
